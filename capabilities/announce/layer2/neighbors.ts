import { createRtNetlink } from "netlink";
import type { RtNetlinkSocket, rt } from "netlink";
import { cidrRange, formatAddress } from "../../config/address";
import { addressFromBytes } from "../address-bytes";
import type { Subnet } from "../handover/way";
import { formatMac } from "../packet/ethernet";

/** A host that this node's kernel has resolved. */
export type Neighbor = {
  /** Canonical text. */
  readonly address: string;
  readonly mac: string;
  readonly interfaceIndex: number;
};

/** The way of a default route. */
export type Gateway = { readonly address: string; readonly interfaceIndex: number };

/** Reads the kernel's tables of neighbours and gateways. */
export type NeighborTable = {
  /** Those whose hardware address is known, and not found wrong since. */
  neighbors(): Promise<readonly Neighbor[]>;
  /** Of all default routes of the main table. */
  gateways(): Promise<readonly Gateway[]>;
  /** The networks that this node is in, by its addresses. */
  subnets(): Promise<readonly Subnet[]>;
  close(): void;
};

const AF_INET = 2;
const AF_INET6 = 10;
const MAIN_TABLE = 254;
const OPTIONS = { timeout: 2000 };

/** Opens a netlink socket of its own: these reads never wait behind changes of the kernel. */
export function openNeighborTable(): NeighborTable {
  const socket = createRtNetlink({ ref: false, recvBufferSize: 1 << 20, sendBufferSize: 1 << 16 });
  // An exception in a handler of this library aborts the process; a read that fails is repeated anyway.
  socket.socket.socket.on("error", () => undefined);
  return {
    neighbors: () => readNeighbors(socket),
    gateways: () => readGateways(socket),
    subnets: () => readSubnets(socket),
    close: () => {
      socket.socket.close();
    },
  };
}

async function readNeighbors(socket: RtNetlinkSocket): Promise<readonly Neighbor[]> {
  const found: Neighbor[] = [];
  for (const family of [AF_INET, AF_INET6]) {
    for (const message of await socket.getNeighbors({ family }, {}, OPTIONS)) {
      found.push(...neighborOf(message));
    }
  }
  return found;
}

function neighborOf({ data, attrs }: rt.NeighborMessage): readonly Neighbor[] {
  const address = attrs.dst && addressFromBytes(attrs.dst);
  if (!address || attrs.lladdr?.length !== 6 || !data.ifindex || !isValid(data)) return [];
  const mac = formatMac(attrs.lladdr);
  return [{ address: formatAddress(address), mac, interfaceIndex: data.ifindex }];
}

function isValid({ state = {} }: rt.Neighbor): boolean {
  return !state.incomplete && !state.failed && !state.noarp;
}

async function readSubnets(socket: RtNetlinkSocket): Promise<readonly Subnet[]> {
  const found: Subnet[] = [];
  for (const family of [AF_INET, AF_INET6]) {
    for (const { data, attrs } of await socket.getAddresses({ family }, {}, OPTIONS)) {
      const address = attrs.address && addressFromBytes(attrs.address);
      if (!address || data.index === undefined) continue;
      const range = cidrRange(address, data.prefixlen ?? 0);
      found.push({ range, interfaceIndex: data.index });
    }
  }
  return found;
}

async function readGateways(socket: RtNetlinkSocket): Promise<readonly Gateway[]> {
  const found: Gateway[] = [];
  for (const family of [AF_INET, AF_INET6]) {
    for (const { data, attrs } of await socket.getRoutes({ family }, {}, OPTIONS)) {
      const address = attrs.gateway && addressFromBytes(attrs.gateway);
      const isDefault = (data.dstLen ?? 0) === 0 && data.table === MAIN_TABLE;
      if (!address || !isDefault || attrs.oif === undefined) continue;
      found.push({ address: formatAddress(address), interfaceIndex: attrs.oif });
    }
  }
  return found;
}
