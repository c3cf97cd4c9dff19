import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { BfdCounts, BfdStatus, MessageCounts, Traffic } from "../../bgp/index";
import type { SessionReport } from "./sessions";

type Sample = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

/** One metric of sessions: what it says of each, if anything. */
type SessionMetric = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** It only grows while the session is configured. */
  readonly isCounter?: true;
  readonly of: (session: SessionReport) => Sample | undefined;
};

/** What is counted of messages: FRR's names, as MetalLB has them, and ours for those that it leaves out. */
const MESSAGES: readonly (readonly [name: string, help: string, of: (of: Traffic) => number])[] = [
  ["metallb_bgp_updates_total", "UPDATE messages sent", ({ sent }) => sent.update],
  [
    "metallb_bgp_updates_total_received",
    "UPDATE messages received",
    ({ received }) => received.update,
  ],
  ["metallb_bgp_opens_sent", "OPEN messages sent", ({ sent }) => sent.open],
  ["metallb_bgp_opens_received", "OPEN messages received", ({ received }) => received.open],
  ["metallb_bgp_notifications_sent", "NOTIFICATIONs sent", ({ sent }) => sent.notification],
  [
    "ancho_bgp_notifications_received",
    "NOTIFICATIONs received",
    ({ received }) => received.notification,
  ],
  ["metallb_bgp_keepalives_sent", "KEEPALIVE messages sent", ({ sent }) => sent.keepalive],
  [
    "metallb_bgp_keepalives_received",
    "KEEPALIVE messages received",
    ({ received }) => received.keepalive,
  ],
  [
    "metallb_bgp_route_refresh_sent",
    "ROUTE-REFRESH messages sent",
    ({ sent }) => sent.routeRefresh,
  ],
  [
    "ancho_bgp_route_refresh_received",
    "ROUTE-REFRESH messages received",
    ({ received }) => received.routeRefresh,
  ],
  ["metallb_bgp_total_sent", "Messages of all types sent", ({ sent }) => total(sent)],
  [
    "metallb_bgp_total_received",
    "Messages of all types received",
    ({ received }) => total(received),
  ],
];

function total(counts: MessageCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** What is counted of BFD, by MetalLB's names. Notifications to Zebra are FRR's own, so that nobody has any here. */
const BFD_COUNTS: readonly (readonly [name: string, help: string, count: keyof BfdCounts])[] = [
  ["control_packet_input", "BFD control packets received", "controlReceived"],
  ["control_packet_output", "BFD control packets sent", "controlSent"],
  ["echo_packet_input", "BFD echo packets of ours that came back", "echoReceived"],
  ["echo_packet_output", "BFD echo packets sent", "echoSent"],
  ["session_up_events", "How often a BFD session came up", "ups"],
  ["session_down_events", "How often a BFD session went down", "downs"],
];

/** As MetalLB has them: `peer` is the address alone. */
function bfdMetric(name: string, help: string, of: (bfd: BfdStatus) => number): SessionMetric {
  return {
    ...{ name: `metallb_bfd_${name}`, help },
    of: ({ peer, status: { bfd } }) =>
      bfd && { labels: { peer: peer.slice(0, peer.lastIndexOf(":")) }, value: of(bfd) },
  };
}

/** MetalLB's names; its labels are `peer`, ADDRESS:PORT, and `vrf`. */
const METRICS: readonly SessionMetric[] = [
  {
    name: "metallb_bgp_session_up",
    help: "1 for each BGP session that is established",
    of: ({ isUp }) => ({ value: isUp ? 1 : 0 }),
  },
  {
    name: "metallb_bgp_announced_prefixes_total",
    help: "Prefixes that are advertised to a peer, or will be once its session is established",
    of: ({ prefixes }) => ({ value: prefixes }),
  },
  {
    name: "metallb_bgp_pending_prefixes_total",
    help: "Prefixes that a peer is yet to be told of, or that they are gone",
    of: ({ pending }) => ({ value: pending() }),
  },
  ...MESSAGES.map(([name, help, of]) => ({
    ...{ name, help: `${help}, since the BGPPeer is as it is`, isCounter: true as const },
    of: ({ status }: SessionReport) => ({ value: of(status.traffic) }),
  })),
  {
    name: "ancho_bgp_received_prefixes_total",
    help: "Prefixes that a peer offered since its session is established; they are counted and dropped",
    of: ({ status }) => ({ value: status.received.announced }),
  },
  {
    name: "ancho_bgp_session_state",
    help: "1 for the state of RFC 4271 that the session with a peer is in",
    labels: ["state"],
    of: ({ status }) => ({ labels: { state: status.state }, value: 1 }),
  },
  {
    name: "ancho_bgp_session_uptime_seconds",
    help: "For how long the session with a peer is established; 0 if it is not",
    of: ({ isUp, changedAt }) => ({
      value: isUp && changedAt !== undefined ? (Date.now() - changedAt) / 1000 : 0,
    }),
  },
  {
    name: "ancho_bgp_session_last_error_info",
    help: "Why the session with a peer went down, or could not be established, last",
    labels: ["reason"],
    of: ({ status }) =>
      status.lastError === undefined
        ? undefined
        : { labels: { reason: status.lastError }, value: 1 },
  },
  bfdMetric("session_up", "1 for each BFD session that is up", ({ state }) =>
    Number(state === "Up"),
  ),
  ...BFD_COUNTS.map(([name, help, count]) => ({
    ...bfdMetric(name, `${help}, since the BGPPeer is as it is`, ({ counts }) => counts[count]),
    isCounter: true as const,
  })),
];

/** Registers the metrics of BGP sessions, which are read when somebody asks for them. */
export function registerSessionMetrics(
  registry: Registry,
  read: () => readonly SessionReport[],
): void {
  for (const { name, help, labels = [], isCounter, of } of METRICS) {
    const settings = {
      ...{ name, help, labelNames: ["peer", "vrf", ...labels], registers: [registry] },
    };
    const samples = (): readonly Required<Sample>[] =>
      read().flatMap(session => {
        const sample = of(session);
        const { peer, vrf } = session;
        return sample ? { labels: { peer, vrf, ...sample.labels }, value: sample.value } : [];
      });
    if (isCounter) {
      new Counter({
        ...settings,
        collect() {
          this.reset();
          for (const { labels: of, value } of samples()) this.inc(of, value);
        },
      });
    } else {
      new Gauge({
        ...settings,
        collect() {
          this.reset();
          for (const { labels: of, value } of samples()) this.set(of, value);
        },
      });
    }
  }
}
