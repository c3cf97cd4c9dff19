import { createHash } from "node:crypto";
import type { BgpPeer } from "../../config/bgp/peer";
import type { NodeFacts } from "../facts";

/**
 * The BGP identifier to show a peer: the one that is configured, else the node's first IPv4 address, else a number
 * made of its name, since every node of a cluster needs another one.
 */
export function routerIdFor(peer: BgpPeer, { name, addresses }: NodeFacts): string {
  const own = addresses.find(address => !address.includes(":"));
  return peer.routerId ?? own ?? hashed(name);
}

function hashed(name: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = createHash("sha256").update(name).digest();
  // RFC 6286: any number but 0.
  return `${a}.${b}.${c}.${d || 1}`;
}

/** Where packets are to be sent for a family that is not the session's own. */
export function nextHopsOf({ addresses }: NodeFacts): {
  readonly ipv4?: string;
  readonly ipv6?: string;
} {
  const ipv4 = addresses.find(address => !address.includes(":"));
  const ipv6 = addresses.find(address => address.includes(":"));
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}
