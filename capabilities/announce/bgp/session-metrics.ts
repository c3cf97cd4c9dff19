import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { BfdStatus } from "../../bgp/index";
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
  readonly of: (session: SessionReport) => Sample | undefined;
};

/** MetalLB's names; its label `peer` is ADDRESS:PORT. */
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
    name: "metallb_bgp_updates_total_received",
    help: "UPDATE messages received from a peer since its session is established",
    of: ({ status }) => ({ value: status.received.updates }),
  },
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
  ...(
    [
      ["session_up", "1 for each BFD session that is up", ({ state }) => Number(state === "Up")],
      [
        "control_packet_input",
        "BFD control packets received",
        ({ counts }) => counts.controlReceived,
      ],
      ["control_packet_output", "BFD control packets sent", ({ counts }) => counts.controlSent],
      ["session_up_events", "How often a BFD session came up", ({ counts }) => counts.ups],
      ["session_down_events", "How often a BFD session went down", ({ counts }) => counts.downs],
    ] satisfies readonly (readonly [string, string, (bfd: BfdStatus) => number])[]
  ).map(([name, help, of]) => bfdMetric(name, help, of)),
];

/** As MetalLB has them: `peer` is the address alone. */
function bfdMetric(name: string, help: string, of: (bfd: BfdStatus) => number): SessionMetric {
  return {
    ...{ name: `metallb_bfd_${name}`, help },
    of: ({ peer, status: { bfd } }) =>
      bfd && { labels: { peer: peer.slice(0, peer.lastIndexOf(":")) }, value: of(bfd) },
  };
}

/** Registers the metrics of BGP sessions, which are read when somebody asks for them. */
export function registerSessionMetrics(
  registry: Registry,
  read: () => readonly SessionReport[],
): void {
  for (const { name, help, labels = [], of } of METRICS) {
    new Gauge({
      ...{ name, help, labelNames: ["peer", ...labels], registers: [registry] },
      collect() {
        this.reset();
        for (const session of read()) {
          const sample = of(session);
          if (sample) this.set({ peer: session.peer, ...sample.labels }, sample.value);
        }
      },
    });
  }
}
