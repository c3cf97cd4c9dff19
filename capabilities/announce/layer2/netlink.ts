import { FlagsNew, Protocol, createNetlink, createRtNetlink, rt } from "netlink";
import type { RtNetlinkSocket } from "netlink";
import { formatAddress, parseAddress } from "../../config/address";
import type { Family } from "../../config/address";
import { addressBytes, addressFromBytes } from "../address-bytes";
import { formatMac } from "../packet/ethernet";
import { DEVICE, PROTOCOL, familyOf } from "./kernel-state";
import type { KernelOp, KernelState, Link, ProxyEntry } from "./kernel-state";

/** The kernel's network state in this process's network namespace. Needs CAP_NET_ADMIN for changes. */
export type Kernel = {
  /** Reads all that is ours, and all links. Rejects when the kernel does not answer in time. */
  dump(): Promise<KernelState>;
  /** Makes one change. What is there already (or gone already) is no error. */
  apply(op: KernelOp, deviceIndex: number | undefined): Promise<void>;
  /** Looks up a link by name: after `add-device` its index is not known yet. */
  linkIndex(name: string): Promise<number | undefined>;
  /**
   * Calls back soon after a change of a link, an address or the setting of an interface, or after a route of
   * ours was deleted. Never called synchronously.
   */
  onChange(callback: () => void): void;
  close(): void;
};

const AF: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };
const FAMILY_OF: Readonly<Record<number, Family>> = { 2: "ipv4", 10: "ipv6" };
const MAIN_TABLE = 254;
/** The kernel answers in microseconds; a lost answer must not hang us. */
const TIMEOUT_MS = 2000;
/** A burst of notifications on a node with many interfaces should not overflow, bytes. */
const BUFFERS = { recvBufferSize: 1 << 20, sendBufferSize: 1 << 16 };
const OPTIONS = { timeout: TIMEOUT_MS };
const CREATE = { ...OPTIONS, flags: FlagsNew.CREATE | FlagsNew.EXCL };
/** The netconf groups tell of forwarding and proxy_ndp (linux/rtnetlink.h, rtnetlink_groups). */
const { LINK, IPV4_IFADDR, IPV6_IFADDR, IPV4_ROUTE, IPV6_ROUTE, IPV4_NETCONF, IPV6_NETCONF } =
  rt.MulticastGroups;
const WATCHED = [
  ...[LINK, IPV4_IFADDR, IPV6_IFADDR, IPV4_NETCONF, IPV6_NETCONF],
  ...[IPV4_ROUTE, IPV6_ROUTE],
];
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
/** Place of rtm_protocol in struct rtmsg. */
const RTM_PROTOCOL_AT = 5;

/**
 * Opens two netlink sockets. They must be two: the kernel stamps the notification of our own change with our
 * request's number, and on one socket it would be taken for the reply.
 */
export function openKernel(): Kernel {
  const requests = createRtNetlink({ ref: true, ...BUFFERS });
  const notifications = createNetlink(Protocol.ROUTE, { ref: false, ...BUFFERS });
  let callback: () => void = () => undefined;
  // An exception in a handler of this library aborts the process, so the handlers only schedule. What changed
  // is not read from messages: after lost ones (ENOBUFS) only a dump tells the truth.
  const changed = (): void => {
    queueMicrotask(() => {
      callback();
    });
  };
  notifications.on("message", messages => {
    if (messages.some(concernsUs)) changed();
  });
  notifications.socket.on("error", changed);
  requests.socket.socket.on("error", () => undefined);
  for (const group of WATCHED) notifications.addMembership(group);

  return {
    dump: () => dump(requests),
    apply: (op, deviceIndex) => applyOp(requests, op, deviceIndex),
    linkIndex: async name =>
      (await readLinks(requests, [])).find(link => link.name === name)?.index,
    onChange: listener => {
      callback = listener;
    },
    close: () => {
      callback = () => undefined;
      requests.socket.close();
      notifications.close();
    },
  };
}

/** A node's routes change all the time; of them only a loss of ours is news. */
function concernsUs({ type, data }: { readonly type: number; readonly data: Uint8Array }): boolean {
  if (type === RTM_NEWROUTE) return false;
  return type !== RTM_DELROUTE || data[RTM_PROTOCOL_AT] === PROTOCOL;
}

async function dump(socket: RtNetlinkSocket): Promise<KernelState> {
  const locals = await readAddresses(socket);
  const links = await readLinks(socket, locals);
  const device = links.find(({ name }) => name === DEVICE);
  const proxies = await readProxies(socket);
  return { links, proxies, routes: device ? await readRoutes(socket, device.index) : [], locals };
}

async function readLinks(
  socket: RtNetlinkSocket,
  addresses: readonly ProxyEntry[],
): Promise<readonly Link[]> {
  const linkLocals = firsts(addresses, address => address.startsWith("fe80:"));
  const ipv4s = firsts(addresses, address => familyOf(address) === "ipv4");
  const messages = await socket.getLinks({}, {}, OPTIONS);
  return messages.map(message => {
    const index = message.data.index ?? 0;
    const ipv4 = ipv4s.get(index);
    return {
      ...linkFrom(message, linkLocals.get(index)),
      ...(ipv4 === undefined ? {} : { ipv4 }),
    };
  });
}

function linkFrom({ data, attrs }: rt.LinkMessage, linkLocal: string | undefined): Link {
  return {
    index: data.index ?? 0,
    name: attrs.ifname ?? "",
    mac: attrs.address?.length === 6 ? formatMac(attrs.address) : "",
    ...readFlags(data.flags ?? {}),
    ...(attrs.master === undefined ? {} : { master: attrs.master }),
    ...(linkLocal === undefined ? {} : { linkLocal }),
    ...(attrs.ifalias === undefined ? {} : { alias: attrs.ifalias }),
  };
}

type Flags = Pick<Link, "up" | "carrier" | "broadcast" | "noArp" | "loopback">;

function readFlags({ up, lowerUp, broadcast, noarp, loopback }: rt.DeviceFlags): Flags {
  return {
    up: up ?? false,
    carrier: lowerUp ?? false,
    broadcast: broadcast ?? false,
    noArp: noarp ?? false,
    loopback: loopback ?? false,
  };
}

/** The first address of each link, by its index, that is of a kind. */
function firsts(
  addresses: readonly ProxyEntry[],
  accept: (address: string) => boolean,
): ReadonlyMap<number, string> {
  const accepted = addresses.filter(({ address }) => accept(address)).reverse();
  return new Map(accepted.map(({ address, interfaceIndex }) => [interfaceIndex, address]));
}

async function readAddresses(socket: RtNetlinkSocket): Promise<readonly ProxyEntry[]> {
  const found: ProxyEntry[] = [];
  for (const family of Object.values(AF)) {
    for (const { data, attrs } of await socket.getAddresses({ family }, {}, OPTIONS)) {
      // On a point-to-point link `address` is the other end's; `local` is always ours, where there is one.
      const bytes = attrs.local ?? attrs.address;
      const address = bytes && addressFromBytes(bytes);
      if (!address || data.index === undefined) continue;
      found.push({ address: formatAddress(address), interfaceIndex: data.index });
    }
  }
  return found;
}

async function readProxies(socket: RtNetlinkSocket): Promise<readonly ProxyEntry[]> {
  const entries: ProxyEntry[] = [];
  for (const family of Object.values(AF)) {
    const messages = await socket.getNeighbors({ family, flags: { proxy: true } }, {}, OPTIONS);
    for (const { data, attrs } of messages) {
      const address = attrs.dst && addressFromBytes(attrs.dst);
      if (!address || attrs.protocol?.[0] !== PROTOCOL || !data.ifindex) continue;
      entries.push({ address: formatAddress(address), interfaceIndex: data.ifindex });
    }
  }
  return entries;
}

async function readRoutes(socket: RtNetlinkSocket, device: number): Promise<readonly string[]> {
  const routes = new Set<string>();
  for (const family of Object.values(AF)) {
    for (const { data, attrs } of await socket.getRoutes({ family }, {}, OPTIONS)) {
      const isOurs = Number(data.protocol) === PROTOCOL && attrs.oif === device;
      if (!isOurs || !attrs.dst || FAMILY_OF[data.family ?? 0] === undefined) continue;
      const address = addressFromBytes(attrs.dst);
      if (address) routes.add(formatAddress(address));
    }
  }
  return [...routes];
}

async function applyOp(
  socket: RtNetlinkSocket,
  op: KernelOp,
  deviceIndex: number | undefined,
): Promise<void> {
  switch (op.op) {
    case "add-device":
      await tolerate("EEXIST", addDevice(socket));
      return;
    case "set-device-flags":
      await socket.setLink({ index: op.index, ...DEVICE_FLAGS }, {}, OPTIONS);
      return;
    case "remove-device":
      await tolerate("ENODEV", socket.delLink({ index: op.index }, {}, OPTIONS));
      return;
    case "note":
      if (deviceIndex === undefined) return;
      await socket.setLink({ index: deviceIndex }, { ifalias: op.text }, OPTIONS);
      return;
    case "add-route": {
      const [data, attrs] = routeOf(op.address, deviceIndex);
      await tolerate("EEXIST", socket.newRoute(data, attrs, CREATE));
      return;
    }
    case "remove-route": {
      const [data, attrs] = routeOf(op.address, deviceIndex);
      await tolerate("ESRCH", socket.delRoute(data, attrs, OPTIONS));
      return;
    }
    case "add-proxy":
      await socket.newNeighbor(...proxyOf(op), {
        ...OPTIONS,
        flags: FlagsNew.CREATE | FlagsNew.REPLACE,
      });
      return;
    case "remove-proxy":
      await tolerate("ENOENT", tolerate("ENODEV", socket.delNeighbor(...proxyOf(op), OPTIONS)));
      return;
  }
}

/** Up, and without ARP: the kernel must never ask for an address on a link that has no hosts. */
const DEVICE_FLAGS = {
  flags: { up: true, noarp: true },
  change: { up: true, noarp: true },
} as const;

/** A bridge without ports drops what it is sent. A dummy would do the same, but not every kernel has it. */
async function addDevice(socket: RtNetlinkSocket): Promise<void> {
  const attrs = { ifname: DEVICE, linkinfo: linkInfo("bridge") };
  await socket.newLink({ family: 0, ...DEVICE_FLAGS }, attrs, CREATE);
}

/** IFLA_LINKINFO with the one attribute IFLA_INFO_KIND, which the library leaves to us as bytes. */
function linkInfo(kind: string): Buffer {
  const IFLA_INFO_KIND = 1;
  const text = Buffer.from(`${kind}\0`);
  const header = Buffer.from(Uint16Array.of(4 + text.length, IFLA_INFO_KIND).buffer);
  return Buffer.concat([header, text, Buffer.alloc((4 - (text.length % 4)) % 4)]);
}

function bytesOf(address: string): Buffer {
  const parsed = parseAddress(address);
  if (!parsed) throw new Error(`"${address}" is not an IP address`);
  return addressBytes(parsed);
}

function routeOf(address: string, device: number | undefined): [rt.Route, rt.RouteAttrs] {
  if (device === undefined) throw new Error(`no device ${DEVICE} for the route to ${address}`);
  const family = familyOf(address);
  const dst = bytesOf(address);
  const scope = family === "ipv4" ? rt.RouteScope.LINK : rt.RouteScope.UNIVERSE;
  return [
    {
      family: AF[family],
      dstLen: dst.length * 8,
      table: MAIN_TABLE,
      // The library's enumeration lacks our number, which the kernel passes through as it is.
      protocol: PROTOCOL as rt.RouteProtocol,
      scope,
      type: rt.RouteType.UNICAST,
    },
    { dst, oif: device },
  ];
}

function proxyOf({ address, interfaceIndex }: ProxyEntry): [rt.Neighbor, rt.NeighborAttrs] {
  return [
    { family: AF[familyOf(address)], ifindex: interfaceIndex, flags: { proxy: true } },
    { dst: bytesOf(address), protocol: Buffer.of(PROTOCOL) },
  ];
}

/** The library's errors carry the code only in their text: "Request rejected: EEXIST". */
async function tolerate(code: string, request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!String(error).endsWith(code)) throw error;
  }
}
