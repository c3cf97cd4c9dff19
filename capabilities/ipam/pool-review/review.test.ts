import { describe, expect, it } from "vitest";
import type { IPAddressPool } from "../../config/kinds/ip-address-pool";
import { nodes, services } from "../../kube/resource";
import { createFakeCluster } from "../fake-cluster";
import { rawPool, serviceOf } from "../fixtures";
import { createHarness } from "../harness";
import { pools } from "../world";
import { PROTECT, reviewPool } from "./review";
import type { PoolChange } from "./review";

const pool = (name: string, addresses: readonly string[], annotations = {}): IPAddressPool => {
  const raw = rawPool(name, addresses) as IPAddressPool;
  return { ...raw, metadata: { ...raw.metadata, annotations } };
};

async function setUp(...present: readonly IPAddressPool[]) {
  const { client } = createFakeCluster();
  for (const one of present) await client.create(pools, one);
  await client.create(services, serviceOf("shop/web", { status: ["10.0.0.200"] }));
  await client.create(nodes, {
    metadata: { name: "n1" },
    spec: { podCIDRs: ["10.5.0.0/24"] },
    status: { addresses: [{ type: "InternalIP", address: "10.0.9.1" }] },
  });
  const { world } = createHarness().parts;
  return (change: PoolChange) =>
    reviewPool({ client, namespace: "metallb-system", world, lbClass: undefined }, change);
}

const WIDE = pool("a", ["10.0.0.0/24"]);
const GUARDED = pool("a", ["10.0.0.0/24"], { [PROTECT]: "true" });
const HIT = "1 Service would lose the address and wait for one: shop/web (10.0.0.200)";

describe("reviewPool", () => {
  it("lets a good pool pass", async () => {
    const review = await setUp();
    expect(await review({ pool: WIDE, old: undefined })).toEqual({ allowed: true, warnings: [] });
  });

  it("refuses one that overlaps another pool", async () => {
    const review = await setUp(pool("b", ["10.0.0.0/30"]));
    const verdict = await review({ pool: WIDE, old: undefined });
    expect(verdict).toMatchObject({ allowed: false });
  });

  it("warns of addresses of nodes and of Pods", async () => {
    const review = await setUp();
    const verdict = await review({ pool: pool("b", ["10.0.0.0/13"]), old: undefined });
    expect(verdict.allowed && verdict.warnings).toHaveLength(2);
  });

  it("warns of a deletion that takes an address away, and names the Service", async () => {
    const review = await setUp(WIDE);
    expect(await review({ pool: undefined, old: WIDE })).toEqual({
      allowed: true,
      warnings: [`IPAddressPool metallb-system/a: is deleted, and ${HIT}`],
    });
  });

  it("refuses the same of a pool that is protected, and a change that ends the protection with it", async () => {
    const review = await setUp(GUARDED);
    const deleted = await review({ pool: undefined, old: GUARDED });
    expect(deleted).toMatchObject({ allowed: false });
    expect(deleted).toHaveProperty("message", expect.stringContaining("shop/web (10.0.0.200)"));
    const shrunk = pool("a", ["10.0.0.0/25"]);
    expect(await review({ pool: shrunk, old: GUARDED })).toMatchObject({ allowed: false });
    expect(await review({ pool: WIDE, old: GUARDED })).toMatchObject({ allowed: true });
  });

  it("lets a protected pool be changed where nobody is hit", async () => {
    const review = await setUp(GUARDED);
    const grown = pool("a", ["10.0.0.0/24", "10.1.0.0/24"], { [PROTECT]: "true" });
    expect(await review({ pool: grown, old: GUARDED })).toEqual({ allowed: true, warnings: [] });
  });

  it("lets the last update of a pool that is being deleted pass", async () => {
    const review = await setUp(GUARDED);
    const dying = { ...WIDE, metadata: { ...WIDE.metadata, deletionTimestamp: new Date(0) } };
    expect(await review({ pool: dying, old: GUARDED })).toEqual({ allowed: true, warnings: [] });
  });
});
