import type { Family } from "../../config/address";

/** A network interface as far as the choice of where to answer needs it. */
export type Link = {
  readonly index: number;
  readonly name: string;
  /** Hardware address in text, "" for a link that has none. */
  readonly mac: string;
  readonly up: boolean;
  /** Carrier: something is at the other end. */
  readonly carrier: boolean;
  readonly broadcast: boolean;
  readonly noArp: boolean;
  readonly loopback: boolean;
  /** Index of the bridge, bond or VRF that the link is a port of. */
  readonly master?: number;
  /** Its IPv6 link-local address, canonical text. */
  readonly linkLocal?: string;
  /** An IPv4 address of this node on it. */
  readonly ipv4?: string;
  /** What somebody noted on it (IFLA_IFALIAS). */
  readonly alias?: string;
};

/** An address on an interface. As a proxy neighbour entry: "this node answers for it there". */
export type ProxyEntry = { readonly address: string; readonly interfaceIndex: number };

/**
 * What the kernel holds of ours. Addresses are canonical text. Entries and routes of others (another protocol
 * number) do not appear.
 */
export type KernelState = {
  readonly links: readonly Link[];
  readonly proxies: readonly ProxyEntry[];
  /** Addresses with a host route to the device. */
  readonly routes: readonly string[];
  /** The node's own addresses, whoever put them there, and on which interfaces. */
  readonly locals: readonly ProxyEntry[];
};

/** What the kernel is to hold. */
export type DesiredState = {
  readonly proxies: readonly ProxyEntry[];
};

/** One change. Every one may be repeated; removing what is gone is not an error. */
export type KernelOp =
  | { readonly op: "add-device" }
  | { readonly op: "set-device-flags"; readonly index: number }
  | { readonly op: "remove-device"; readonly index: number }
  | { readonly op: "note"; readonly text: string }
  | { readonly op: "add-route"; readonly address: string }
  | { readonly op: "remove-route"; readonly address: string }
  | ({ readonly op: "add-proxy" } & ProxyEntry)
  | ({ readonly op: "remove-proxy" } & ProxyEntry);

/** The same for entries that are the same. */
export function proxyKey({ address, interfaceIndex }: ProxyEntry): string {
  return `${address}%${interfaceIndex}`;
}

/** Name of the device that the host routes of owned addresses lead to. */
export const DEVICE = "ancho0";

/** Marks our routes and neighbour entries (rtm_protocol, NDA_PROTOCOL); see `ip route show proto 114`. */
export const PROTOCOL = 114;

/** The family of an address in canonical text. */
export function familyOf(address: string): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}
