import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";

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
  readonly ready: Gauge;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  return {
    registry,
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
      help: "Addresses that this node took over, by cause: first, silent, leaving or other",
      labelNames: ["cause"],
      registers,
    }),
    problems: gauge("ancho_layer2_problems", "Kernel settings and entries that could not be made"),
    ready: gauge("ancho_ready", "1 if this node knows the cluster's state and may own addresses"),
  };
}
