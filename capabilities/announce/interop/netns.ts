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
