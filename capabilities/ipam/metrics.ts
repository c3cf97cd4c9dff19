import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import type { Config } from "../config/config";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { capacityOf, poolUsage } from "./pool-status";

/** Where the numbers come from when somebody asks. */
export type MetricsSource = {
  /** Whether this watcher is the one that works; only that one speaks of pools, so that sums over pods are right. */
  isLeading(): boolean;
  config(): Config;
  vips(): readonly VirtualIP[];
  /** How many errors the present configuration has. */
  errorCount(): number;
};

export type IpamMetrics = {
  readonly registry: Registry;
  /** A Service was looked at; `failed`: it will be again. */
  countUpdate(outcome: "done" | "failed"): void;
};

type Row = { readonly pool: string; readonly total: number; readonly inUse: number };

const FAMILIES = [
  { prefix: "", families: ["ipv4", "ipv6"] },
  { prefix: "ipv4_", families: ["ipv4"] },
  { prefix: "ipv6_", families: ["ipv6"] },
] as const;

/** The metrics of MetalLB's controller, under its names. Sizes beyond 2^53 are as exact as a float64 is. */
export function createIpamMetrics(source: MetricsSource): IpamMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  for (const { prefix, families } of FAMILIES) {
    const rows = (): readonly Row[] => (source.isLeading() ? rowsOf(source, families) : []);
    const title = prefix === "" ? "" : `${families[0] === "ipv4" ? "IPv4" : "IPv6"} `;
    poolGauge(`${prefix}addresses_total`, `Usable ${title}addresses of a pool`, rows, "total");
    poolGauge(`${prefix}addresses_in_use_total`, `Assigned ${title}addresses`, rows, "inUse");
  }

  function poolGauge(
    name: string,
    help: string,
    rows: () => readonly Row[],
    field: "total" | "inUse",
  ): void {
    new Gauge({
      name: `metallb_allocator_${name}`,
      help,
      labelNames: ["pool"],
      registers,
      collect() {
        this.reset();
        for (const row of rows()) this.set({ pool: row.pool }, row[field]);
      },
    });
  }

  new Gauge({
    name: "metallb_k8s_client_config_loaded_bool",
    help: "1 if a configuration was loaded at least once",
    registers,
  }).set(1);
  new Gauge({
    name: "metallb_k8s_client_config_stale_bool",
    help: "1 if a part of the configuration is left out, since it has errors",
    registers,
    collect() {
      this.set(source.errorCount() > 0 ? 1 : 0);
    },
  });
  const updates = new Counter({
    name: "metallb_k8s_client_updates_total",
    help: "How often a Service was looked at",
    registers,
  });
  const failures = new Counter({
    name: "metallb_k8s_client_update_errors_total",
    help: "How often looking at a Service failed, to be done again",
    registers,
  });
  return {
    registry,
    countUpdate: outcome => {
      updates.inc();
      if (outcome === "failed") failures.inc();
    },
  };
}

function rowsOf(source: MetricsSource, families: readonly ("ipv4" | "ipv6")[]): readonly Row[] {
  const vips = source.vips();
  return source.config().pools.map(pool => {
    const usage = poolUsage(pool, vips);
    const inUse = { ipv4: usage.assignedIPv4, ipv6: usage.assignedIPv6 };
    const sum = (count: (family: "ipv4" | "ipv6") => number): number =>
      families.map(count).reduce((all, one) => all + one, 0);
    return {
      pool: pool.name,
      total: sum(family => Number(capacityOf(pool, family))),
      inUse: sum(family => inUse[family]),
    };
  });
}
