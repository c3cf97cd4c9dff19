import { parseAddress } from "../../config/address";
import type { Config } from "../../config/config";
import { wantedPeers } from "./routes";
import type { NodeFacts, ServiceFacts } from "../facts";

export type SilenceInput = {
  readonly config: Config;
  readonly nodes: readonly NodeFacts[];
  readonly ignoreExcludeLabel: boolean;
};

/** Why no router knows of an address that a BGPAdvertisement is for, though the Service has endpoints. */
export function bgpSilence(
  input: SilenceInput,
  service: ServiceFacts,
  address: string,
): { readonly reason: string; readonly message: string } {
  const parsed = parseAddress(address);
  const one = { ...service, addresses: [address] };
  const wanted = input.nodes.map(me => wantedPeers({ ...input, services: [one], me }));
  const waiting = wanted.flatMap(peers => peers.filter(({ carried }) => carried.size > 0));
  const names = [...new Set(waiting.map(({ peer }) => peer.name))].sort();
  if (names.length > 0) {
    const message = `no node has an established BGP session with ${names.join(" or ")}: look at the announcers' metric metallb_bgp_session_up and the events of the BGPPeer`;
    return { reason: "noSession", message };
  }
  if (wanted.every(peers => peers.length === 0)) {
    return {
      reason: "noPeer",
      message: "no BGPPeer is for any of the nodes: create one, or check its nodeSelectors",
    };
  }
  const family = parsed?.family === "ipv6" ? "IPv6" : "IPv4";
  const message = `no node may advertise it: check nodeSelectors and peers of its BGPAdvertisements, that a session carries ${family} (dualStackAddressFamily), and, for externalTrafficPolicy Local, where the endpoints are`;
  return { reason: "noEligibleNode", message };
}
