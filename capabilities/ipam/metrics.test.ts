import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { parseConfig } from "../config/config";
import { createIpamMetrics } from "./metrics";
import type { MetricsSource } from "./metrics";

const pool = (name: string, addresses: readonly string[], spec: object = {}): object => ({
  metadata: { name },
  spec: { addresses, ...spec },
});

const vip = (address: string, inPool: string, holders: readonly string[]): VirtualIP => ({
  metadata: { name: address },
  spec: {
    address,
    pool: inPool,
    reason: "lowest free address",
    holders: holders.map(name => ({ namespace: "default", name, claimedAt: "" })),
  },
});

function source(given: Partial<MetricsSource> & { readonly pools?: readonly object[] }) {
  const { pools = [], ...rest } = given;
  const { config } = parseConfig({ pools, l2Ads: [] });
  const base = { isLeading: () => true, config: () => config, vips: () => [], errorCount: () => 0 };
  return createIpamMetrics({ ...base, ...rest });
}

async function read(metrics: ReturnType<typeof createIpamMetrics>): Promise<readonly string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter(line => line.startsWith("metallb_"));
}

describe("the metrics of the control plane", () => {
  it("metallb 76: sizes and what is in use, by pool and family, under MetalLB's names", async () => {
    const metrics = source({
      pools: [pool("both", ["1.2.3.4/30", "1000::4/126"]), pool("six", ["2000::/127"])],
      vips: () => [vip("1.2.3.4", "both", ["a", "b", "c"]), vip("1.2.3.5", "both", [])],
    });
    const lines = await read(metrics);
    expect(lines.filter(line => line.includes("allocator"))).toEqual([
      'metallb_allocator_addresses_total{pool="both"} 8',
      'metallb_allocator_addresses_total{pool="six"} 2',
      'metallb_allocator_addresses_in_use_total{pool="both"} 1',
      'metallb_allocator_addresses_in_use_total{pool="six"} 0',
      'metallb_allocator_ipv4_addresses_total{pool="both"} 4',
      'metallb_allocator_ipv4_addresses_total{pool="six"} 0',
      'metallb_allocator_ipv4_addresses_in_use_total{pool="both"} 1',
      'metallb_allocator_ipv4_addresses_in_use_total{pool="six"} 0',
      'metallb_allocator_ipv6_addresses_total{pool="both"} 4',
      'metallb_allocator_ipv6_addresses_total{pool="six"} 2',
      'metallb_allocator_ipv6_addresses_in_use_total{pool="both"} 0',
      'metallb_allocator_ipv6_addresses_in_use_total{pool="six"} 0',
    ]);
  });

  it("metallb 77: a pool that goes takes its metrics along", async () => {
    let { config } = parseConfig({ pools: [pool("p", ["1.2.3.0/24"])], l2Ads: [] });
    const metrics = source({ config: () => config });
    expect((await read(metrics)).join()).toContain('{pool="p"} 256');
    config = parseConfig({ pools: [], l2Ads: [] }).config;
    expect((await read(metrics)).join()).not.toContain("pool=");
  });

  it("leave pools to the watcher that works", async () => {
    const metrics = source({ pools: [pool("p", ["1.2.3.0/24"])], isLeading: () => false });
    expect((await read(metrics)).join()).not.toContain("pool=");
  });

  it("metallb 176: a configuration with errors is stale until they are gone", async () => {
    let errors = 2;
    const metrics = source({ errorCount: () => errors });
    expect(await read(metrics)).toContain("metallb_k8s_client_config_stale_bool 1");
    errors = 0;
    const lines = await read(metrics);
    expect(lines).toContain("metallb_k8s_client_config_stale_bool 0");
    expect(lines).toContain("metallb_k8s_client_config_loaded_bool 1");
  });

  it("count what was looked at, and what failed", async () => {
    const metrics = source({});
    metrics.countUpdate("done");
    metrics.countUpdate("failed");
    const lines = await read(metrics);
    expect(lines).toContain("metallb_k8s_client_updates_total 2");
    expect(lines).toContain("metallb_k8s_client_update_errors_total 1");
  });
});
