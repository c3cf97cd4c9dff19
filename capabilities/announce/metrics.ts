import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { registerSessionMetrics } from "./bgp/session-metrics";
import type { SessionReport } from "./bgp/sessions";
import type { AnswerCount } from "./layer2/packet-mode/packet-responder";
import type { HeartbeatCounts } from "./membership/membership";

/** What the announcer counts. Names with the prefix metallb are MetalLB's own. */
export type Metrics = {
  readonly registry: Registry;
  readonly announced: Gauge<"service" | "protocol" | "node" | "ip">;
  readonly gratuitousSent: Counter<"ip">;
  readonly configLoaded: Gauge;
  readonly configStale: Gauge;
  readonly membersAlive: Gauge;
  readonly ownedAddresses: Gauge;
  readonly moves: Counter<"cause">;
  readonly problems: Gauge;
  /** Addresses that the kernel speaks for whoever owns them. */
  readonly unguarded: Gauge;
  readonly ready: Gauge;
  readonly probesSent: Counter;
  readonly sessionDowns: Counter<"peer">;
  /** Adds what was asked and answered by packets. */
  readonly countAnswers: (counts: readonly AnswerCount[]) => void;
  /** Addresses of which packets may go on to a former owner, and what keeps them from it. */
  readonly handedOver: Gauge;
  readonly handoverProblems: Gauge;
  readonly conflicts: Gauge;
  readonly conflictsSeen: Counter;
  readonly defences: Counter;
  readonly observationsSent: Counter;
  readonly takeover: Histogram;
  readonly convergence: Histogram;
  /** From now on it is read from here who is seen to answer for other nodes' addresses. */
  countSights(read: () => Readonly<Record<string, number>>): void;
  /** From now on the heartbeats' counts are read from here. */
  countHeartbeats(read: () => HeartbeatCounts): void;
  /** From now on the BGP sessions are read from here. */
  watchSessions(read: () => readonly SessionReport[]): void;
};

/** How exactly the event loop's lag is measured, ms: to know it, the process wakes up so often for nothing else. */
const LAG_MS = 100;

/** Upper bounds of the histograms, s. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  let readHeartbeats: () => Partial<HeartbeatCounts> = () => ({});
  new Counter({
    name: "ancho_heartbeats_received_total",
    help: "Packets heard on the heartbeat's port, by what became of them: accepted; without effect: malformed, unauthentic (wrong key or forged), replayed, unproven (of a boot that has not answered yet), stranger (no Node has the name)",
    labelNames: ["fate"],
    registers,
    collect() {
      this.reset();
      for (const [fate, count] of Object.entries(readHeartbeats())) this.inc({ fate }, count);
    },
  });
  let readSessions: () => readonly SessionReport[] = () => [];
  registerSessionMetrics(registry, () => readSessions());
  const requests = new Counter({
    name: "metallb_layer2_requests_received",
    help: "ARP requests and neighbor solicitations for an address that were answered by packets; what the kernel answers is not counted",
    labelNames: ["ip"],
    registers,
  });
  const responses = new Counter({
    name: "metallb_layer2_responses_sent",
    help: "ARP replies and neighbor advertisements sent for an address by packets; the kernel's are not counted",
    labelNames: ["ip"],
    registers,
  });
  let readSights: () => Readonly<Record<string, number>> = () => ({});
  new Gauge({
    name: "ancho_observed_addresses",
    help: "Addresses of other nodes that this node asks for now and then, by who was seen to answer: owner (the node that is to, alone), other, nobody",
    labelNames: ["seen"],
    registers,
    collect() {
      this.reset();
      for (const [seen, count] of Object.entries(readSights())) this.set({ seen }, count);
    },
  });
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name, help, buckets: [...SECONDS], registers });
  return {
    registry,
    countAnswers: counts => {
      for (const { address: ip, asked, answered } of counts) {
        requests.inc({ ip }, asked);
        responses.inc({ ip }, answered);
      }
    },
    unguarded: gauge(
      "ancho_unguarded_addresses",
      "Addresses that this node's kernel speaks for whoever owns them: they are local and strictARP is off",
    ),
    countSights: read => {
      readSights = read;
    },
    observationsSent: new Counter({
      name: "ancho_observations_sent_total",
      help: "ARP requests and neighbor solicitations sent to see who answers for the addresses of other nodes",
      registers,
    }),
    takeover: histogram(
      "ancho_takeover_seconds",
      "From the decision that this node takes an address over until its kernel answered and the first announcement was sent",
    ),
    convergence: histogram(
      "ancho_convergence_seconds",
      "From that decision until gateway and neighbours had answered to the address's new place",
    ),
    watchSessions: read => {
      readSessions = read;
    },
    sessionDowns: new Counter({
      name: "ancho_bgp_session_downs_total",
      help: "How often established BGP sessions went down, other than on purpose, by name of the BGPPeer",
      labelNames: ["peer"],
      registers,
    }),
    probesSent: new Counter({
      name: "ancho_probes_sent_total",
      help: "ARP requests and neighbor solicitations sent to find out whether a silent owner still answers",
      registers,
    }),
    handedOver: gauge(
      "ancho_handover_addresses",
      "Addresses for which packets of TCP connections that this node does not track go to a former owner",
    ),
    handoverProblems: gauge(
      "ancho_handover_problems",
      "Reasons why connections are not handed over when addresses move; 0 is well",
    ),
    conflicts: gauge(
      "ancho_address_conflicts",
      "Addresses looked after by this node that a host outside the cluster has, too",
    ),
    conflictsSeen: new Counter({
      name: "ancho_address_conflicts_seen_total",
      help: "Times that a host outside the cluster was seen to have an address",
      registers,
    }),
    defences: new Counter({
      name: "ancho_address_defences_total",
      help: "Announcements sent since somebody else claimed an address in use, or was about to take it",
      registers,
    }),
    countHeartbeats: read => {
      readHeartbeats = read;
    },
    announced: new Gauge({
      name: "metallb_speaker_announced",
      help: "Services announced from this node: 1 for each Service and address",
      labelNames: ["service", "protocol", "node", "ip"],
      registers,
    }),
    gratuitousSent: new Counter({
      name: "metallb_layer2_gratuitous_sent",
      help: "Gratuitous ARP packets and unsolicited neighbor advertisements sent for an address",
      labelNames: ["ip"],
      registers,
    }),
    configLoaded: gauge(
      "metallb_k8s_client_config_loaded_bool",
      "1 if a configuration was loaded at least once",
    ),
    configStale: gauge(
      "metallb_k8s_client_config_stale_bool",
      "1 if an older configuration is in use, since the present one has errors",
    ),
    membersAlive: gauge("ancho_members_alive", "Nodes that may own addresses now, as seen here"),
    ownedAddresses: gauge("ancho_owned_addresses", "Addresses that this node answers for"),
    moves: movesCounter(registers),
    problems: gauge("ancho_layer2_problems", "Kernel settings and entries that could not be made"),
    ready: gauge("ancho_ready", "1 if this node knows the cluster's state and may own addresses"),
  };
}

const MOVE_CAUSES = ["first", "silent", "leaving", "rebalance", "other"] as const;
export type MoveCause = (typeof MOVE_CAUSES)[number];

/** There from the start: a counter that appears with its first count hides that from `rate()`. */
function movesCounter(registers: Registry[]): Counter<"cause"> {
  const counter = new Counter({
    name: "ancho_moves_total",
    help: `Addresses that this node took over, by cause: ${MOVE_CAUSES.join(", ")}`,
    labelNames: ["cause"],
    registers,
  });
  for (const cause of MOVE_CAUSES) counter.inc({ cause }, 0);
  return counter;
}
