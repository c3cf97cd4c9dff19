import { createLan as createLanOf } from "../../../hack/interop/netns";
import type { Lan as LanOf } from "../../../hack/interop/netns";

export const NODE_MAC = "02:00:00:00:00:11";

const HOSTS = {
  node: { mac: NODE_MAC, addresses: ["172.30.0.11/24", "fd00:30::11/64"] },
  peer: { mac: "02:00:00:00:00:22", addresses: ["172.30.0.200/24", "fd00:30::200/64"] },
} as const;

export type Host = keyof typeof HOSTS;

/** Two hosts, `node` and `peer`, on a switch. */
export type Lan = LanOf<Host>;

export function createLan(): Promise<Lan> {
  return createLanOf("ann-it", HOSTS);
}

/** Lays a cable of its own between node and peer; both ends have the name and are up. */
export async function addCable(lan: Lan, name: string): Promise<void> {
  const peer = ["peer", "name", name, "netns", lan.namespace("peer")];
  await lan.run("node", "ip", "link", "add", name, "type", "veth", ...peer);
  for (const host of ["node", "peer"] as const) {
    await lan.run(host, "ip", "link", "set", name, "up");
  }
}
