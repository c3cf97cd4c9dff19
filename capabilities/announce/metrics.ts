import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
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
  /** From now on the heartbeats' counts are read from here. */
  countHeartbeats(read: () => HeartbeatCounts): void;
  /** From now on the BGP sessions are read from here. */
  watchSessions(read: () => readonly SessionReport[]): void;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
    moves: new Counter({
      name: "ancho_moves_total",
      help: "Addresses that this node took over, by cause: first, silent, leaving, rebalance or other",
      labelNames: ["cause"],
      registers,
    }),
    problems: gauge("ancho_layer2_problems", "Kernel settings and entries that could not be made"),
    ready: gauge("ancho_ready", "1 if this node knows the cluster's state and may own addresses"),
  };
}
