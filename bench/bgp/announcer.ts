/** bgp-ts as an announcer: a process of its own, as users have it. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createSpeaker } from "../../capabilities/bgp/index";
import type { Peer } from "../../capabilities/bgp/index";
import { announcerAddress, announcerAs, monotonicMs, prefixAt, receiverAs } from "./load";
import type { Load } from "./load";

/** What the benchmark tells it to do. */
export type Order =
  | { readonly do: "load"; readonly load: Load }
  /** Announce a prefix to the first peer, or take it back. */
  | { readonly do: "announce" | "withdraw"; readonly prefix: string }
  | { readonly do: "lag" };

export type AnnouncerMessage =
  | { readonly type: "idle" }
  | { readonly type: "ready" }
  /** When the call was made, ms of the machine's monotonic clock. */
  | { readonly type: "called"; readonly prefix: string; readonly at: number }
  /** How late the event loop has been since everything was loaded, ms. */
  | { readonly type: "lag"; readonly p99: number; readonly max: number };

function say(message: AnnouncerMessage): void {
  process.send?.(message);
}

const delays = monitorEventLoopDelay({ resolution: 1 });
const speaker = createSpeaker({ as: announcerAs, routerId: announcerAddress });
let peers: readonly Peer[] = [];

process.on("message", (order: Order) => {
  switch (order.do) {
    case "load":
      load(order.load);
      return;
    case "announce":
    case "withdraw":
      say({ type: "called", prefix: order.prefix, at: monotonicMs() });
      peers[0]?.[order.do]([order.prefix]);
      return;
    case "lag":
      say({ type: "lag", p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 });
  }
});
process.on("disconnect", () => process.exit());
say({ type: "idle" });

function load({ prefixes, peers: addresses, port }: Load): void {
  const all = Array.from({ length: prefixes }, (_, i) => prefixAt(i));
  peers = addresses.map(address =>
    speaker.addPeer({
      address,
      port,
      as: receiverAs,
      localAddress: announcerAddress,
      families: ["ipv4"],
      maxRetryTime: 1,
    }),
  );
  for (const peer of peers) peer.announce(all);
  say({ type: "ready" });
  delays.enable();
}
