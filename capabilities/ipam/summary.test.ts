import { describe, expect, it } from "vitest";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import { virtualIPs } from "./claims";
import { rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import { isSummarized, summarized, summaryOf } from "./summary";

const claimedAt = "2026-01-01T00:00:00.000Z";
const held = (name: string, uid?: string): Holder => ({
  namespace: "shop",
  name,
  claimedAt,
  ...(uid === undefined ? {} : { uid }),
});

function vip(holders: readonly Holder[], more: Partial<VirtualIP["spec"]> = {}): VirtualIP {
  const spec = { address: "10.0.0.1", pool: "a", reason: "requested", holders: [...holders] };
  return { metadata: { name: "10.0.0.1" }, spec: { ...spec, ...more } };
}

const released = { namespace: "shop", name: "gone", at: claimedAt };
const conflict = { mac: "02:00:00:00:00:99", since: claimedAt, isInUse: true };

describe("what a VirtualIP says of itself", () => {
  it.each([
    ["a claim of admission", vip([held("a")]), "Pending", "shop/a"],
    [
      "a claim for a name that is yet to be generated",
      vip([{ namespace: "shop", generateName: "a-", claimedAt }]),
      "Pending",
      "shop/a-*",
    ],
    ["a Service", vip([held("a", "1")]), "Bound", "shop/a"],
    ["one that joins", vip([held("a", "1"), held("b")]), "Bound", "shop/a, shop/b"],
    ["nobody, and kept", vip([], { released }), "Released", "shop/gone"],
    ["back again", vip([held("a", "1")], { released }), "Bound", "shop/a"],
    [
      "a stranger beside the Service",
      { ...vip([held("a", "1")]), status: { conflict } },
      "Conflict",
      "shop/a",
    ],
  ])("%s", (_, object, phase, service) => {
    expect(summaryOf(object)).toEqual({ phase, service });
    expect(isSummarized(object)).toBe(false);
    expect(isSummarized(summarized(object))).toBe(true);
  });

  it("is written with what it follows from: a served Service costs a claim, a status, and no more", async () => {
    const h = createHarness(rawPool("a", ["10.0.0.0/24"]));
    await h.put(serviceOf("shop/web"));
    const before = h.cluster.writes.length;
    await h.settle();
    expect(h.cluster.writes.slice(before)).toEqual([
      "create virtualips 10.0.0.0",
      "patch-status services shop/web",
    ]);
    expect(h.cluster.all(virtualIPs)[0]?.spec).toMatchObject({
      phase: "Bound",
      service: "shop/web",
    });
  });

  it("is written anew where an older version has left it out", async () => {
    const h = createHarness(rawPool("a", ["10.0.0.0/24"]));
    await h.put(serviceOf("shop/web"));
    await h.settle();
    const spec = { phase: null, service: null };
    await h.cluster.client.mergePatch(virtualIPs, "10.0.0.0", { spec });
    await h.settle();
    const [found] = h.cluster.all(virtualIPs);
    expect(found && isSummarized(found)).toBe(true);
  });
});
