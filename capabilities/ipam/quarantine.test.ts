import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { virtualIPs } from "./claims";
import { rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";

const IP = "10.0.0.0";
const POOL = rawPool("a", ["10.0.0.0/31"]);

/** What an announcer writes of a stranger, or takes out again. */
async function say(h: Harness, isInUse: boolean | undefined): Promise<void> {
  const seen = { mac: "02:00:00:00:00:99", since: "2026-01-01T00:00:00Z", isInUse };
  const conflict = isInUse === undefined ? null : seen;
  await h.cluster.client.mergePatchStatus(virtualIPs, IP, { status: { conflict } });
  await h.settle();
}

async function put(h: Harness, key: string, over: object = {}): Promise<string> {
  await h.put(serviceOf(key, over));
  await h.settle();
  return h.addresses(key).join();
}

const vip = (h: Harness): VirtualIP | undefined =>
  h.cluster.all(virtualIPs).find(({ metadata }) => metadata.name === IP);

describe("an address that a host outside the cluster has", () => {
  it("stays with its Service where it was in use, and is shown as in conflict", async () => {
    const h = createHarness(POOL);
    await put(h, "shop/web");
    await say(h, true);
    expect(h.addresses("shop/web")).toEqual([IP]);
    expect(vip(h)?.spec).toMatchObject({ phase: "Conflict", service: "shop/web" });
    await say(h, undefined);
    expect(vip(h)?.spec).toMatchObject({ phase: "Bound", service: "shop/web" });
  });

  it("is exchanged for another where it was not announced yet, and kept from everybody", async () => {
    const h = createHarness(POOL);
    await put(h, "shop/web");
    await say(h, false);
    expect(h.addresses("shop/web")).toEqual(["10.0.0.1"]);
    expect(vip(h)?.spec.holders).toEqual([]);
    expect(vip(h)?.spec.phase).toBe("Conflict");
    expect(await put(h, "shop/other")).toBe("");
    await say(h, undefined);
    h.advance(60 * 60_000);
    await h.settle();
    expect(h.addresses("shop/other")).toEqual([IP]);
  });

  it("stays where the user asked for it by name", async () => {
    const h = createHarness(POOL);
    const spec = { loadBalancerIP: IP };
    expect(await put(h, "shop/web", { spec })).toBe(IP);
    await say(h, false);
    expect(h.addresses("shop/web")).toEqual([IP]);
  });

  it.each([
    ["10m", "a Service of the same name"],
    ["0", "a Service of the same name, with no time for freed addresses"],
  ])("is not given anew when its Service goes: kept %s, %s", async keeps => {
    const pool = POOL as { metadata: object };
    const annotations = { "ancho.dev/reclaim-after": keeps };
    const h = createHarness({ ...pool, metadata: { ...pool.metadata, annotations } });
    await put(h, "shop/web");
    await say(h, true);
    await h.remove("shop/web");
    await h.settle();
    expect(vip(h)?.spec.phase).toBe("Conflict");
    expect(await put(h, "shop/web")).toBe("10.0.0.1");
    expect(await put(h, "shop/other")).toBe("");
    h.advance(60 * 60_000);
    await h.settle();
    expect(h.addresses("shop/other")).toEqual([]);
    // Nobody is remembered for ever: when the stranger goes, so does the VirtualIP.
    await say(h, undefined);
    await h.settle();
    expect(h.addresses("shop/other")).toEqual([IP]);
  });
});
