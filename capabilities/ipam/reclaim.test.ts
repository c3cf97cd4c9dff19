import { PeprMutateRequest } from "pepr";
import type { a } from "pepr";
import { describe, expect, it } from "vitest";
import { services } from "../kube/resource";
import { mutateService } from "./admission";
import { createClaims, virtualIPs } from "./claims";
import { configOf, ip, rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import { createLedger } from "./ledger";
import type { Service } from "./service";
import { keptUntil } from "./vip";

const POOL = rawPool("a", ["10.0.0.0/30"]);
const MINUTE = 60_000;

function keptFor(text: string, pool: object = POOL): object {
  const { metadata, ...rest } = pool as { metadata: object };
  return { ...rest, metadata: { ...metadata, annotations: { "ancho.dev/reclaim-after": text } } };
}

/** Services that were there and are gone, in this order. */
async function afterDeleting(h: Harness, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await h.put(serviceOf(key));
    await h.settle();
  }
  for (const key of keys) {
    await h.remove(key);
    await h.settle();
    h.advance(1_000);
  }
}

async function put(h: Harness, ...keys: readonly string[]): Promise<readonly string[]> {
  for (const key of keys) {
    await h.put(serviceOf(key));
    await h.settle();
  }
  return keys.map(key => h.addresses(key).join());
}

/** What an admission replica answers whose cache is its own. */
async function admit(h: Harness, key: string): Promise<Service> {
  const ledger = createLedger();
  ledger.resync(h.cluster.all(virtualIPs));
  const object = serviceOf(key);
  delete object.status;
  const req = new PeprMutateRequest<a.Service>({
    uid: `request of ${key}`,
    operation: "CREATE",
    namespace: object.metadata?.namespace ?? "",
    object,
  } as never);
  const claims = createClaims(h.cluster.client, ledger);
  await mutateService({ ...h.parts, ledger, claims }, req);
  return req.Raw;
}

describe("a Service that is created anew", () => {
  it("gets the address back that it had, whoever came between", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web", "shop/api");
    expect(h.kept()).toEqual(["10.0.0.0 shop/web", "10.0.0.1 shop/api"]);
    expect(await put(h, "shop/other")).toEqual(["10.0.0.2"]);
    expect(await put(h, "shop/api", "shop/web")).toEqual(["10.0.0.1", "10.0.0.0"]);
    expect(h.kept()).toEqual([]);
    const [vip] = h.cluster.all(virtualIPs);
    expect(vip?.spec).not.toHaveProperty("released");
    expect(vip?.spec.reason).toBe("held before");
    expect(vip?.spec).toMatchObject({ phase: "Bound", service: "shop/web" });
  });

  it("gets it in the answer to the create, from a replica that has just started", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web", "shop/api");
    expect((await admit(h, "shop/api")).spec?.loadBalancerIP).toBe("10.0.0.1");
    expect((await admit(h, "shop/new")).spec?.loadBalancerIP).toBe("10.0.0.2");
  });

  it("gets it after a restart of the watcher, too", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    h.restart();
    h.advance(9 * MINUTE);
    await h.settle();
    expect(await put(h, "shop/other", "shop/web")).toEqual(["10.0.0.1", "10.0.0.0"]);
  });

  it.each([
    ["another namespace", "other/web"],
    ["another name", "shop/web2"],
  ])("does not get it in or under %s", async (_, key) => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    expect(await put(h, key)).toEqual(["10.0.0.1"]);
  });

  it("gets the latest of those that it had, and both of a pair", async () => {
    const both = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    const h = createHarness(POOL, rawPool("b", ["fd00::/126"]), rawPool("c", ["10.0.1.0/30"]));
    await h.put(serviceOf("shop/web", { spec: both }));
    await h.settle();
    const annotations = { "metallb.io/address-pool": "c" };
    await h.put(serviceOf("shop/web", { annotations }));
    h.advance(1_000);
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["10.0.1.0"]);
    h.advance(1_000);
    await h.remove("shop/web");
    await h.settle();
    expect(h.kept()).toEqual(["10.0.0.0 shop/web", "10.0.1.0 shop/web", "fd00:: shop/web"]);
    await h.put(serviceOf("shop/web", { spec: both }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["10.0.1.0", "fd00::"]);
  });

  it("does not come back to an address of a pool that it must name, and does not", async () => {
    const manual = rawPool("m", ["10.0.1.0/30"], { autoAssign: false });
    const h = createHarness(POOL, manual);
    await h.put(serviceOf("shop/web", { annotations: { "metallb.io/address-pool": "m" } }));
    await h.settle();
    await h.remove("shop/web");
    await h.settle();
    expect(await put(h, "shop/web")).toEqual(["10.0.0.0"]);
  });
});

describe("an address that was freed", () => {
  it("goes to others when no other is free, the one freed first before the rest", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/b", "shop/a", "shop/c");
    expect(await put(h, "n/1", "n/2", "n/3", "n/4", "n/5")).toEqual([
      "10.0.0.3",
      "10.0.0.0",
      "10.0.0.1",
      "10.0.0.2",
      "",
    ]);
    expect(await put(h, "shop/a")).toEqual([""]);
    await h.remove("n/1");
    await h.settle();
    expect(h.kept()).toEqual([]);
    expect(h.addresses("n/5")).toEqual(["10.0.0.3"]);
  });

  it("goes at once to who asks for it by name", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    await h.put(serviceOf("n/1", { spec: { loadBalancerIP: "10.0.0.0" } }));
    await h.settle();
    expect(h.addresses("n/1")).toEqual(["10.0.0.0"]);
    expect(h.kept()).toEqual([]);
  });

  it("of a few that share it is kept for the one that let go last", async () => {
    const h = createHarness(POOL);
    const annotations = { "metallb.io/allow-shared-ip": "k" };
    await h.put(serviceOf("shop/a", { annotations }));
    await h.put(serviceOf("shop/b", { annotations, spec: { ports: [{ port: 81 }] } }));
    await h.settle();
    await h.remove("shop/a");
    await h.settle();
    expect(h.kept()).toEqual([]);
    await h.remove("shop/b");
    await h.settle();
    expect(h.kept()).toEqual(["10.0.0.0 shop/b"]);
  });

  it("shows in the table for whom it is kept", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    const [vip] = h.cluster.all(virtualIPs);
    expect(vip?.spec).toMatchObject({ phase: "Released", service: "shop/web" });
    const written = h.cluster.writes.length;
    await h.settle();
    expect(h.cluster.writes).toHaveLength(written);
  });

  it.each<[string, object, number, number]>([
    ["ten minutes", POOL, 10 * MINUTE - 1_001, 1],
    ["ten minutes and no longer", POOL, 10 * MINUTE, 0],
    ["as long as its pool says", keptFor("1h"), 59 * MINUTE, 1],
    ["as long as its pool says and no longer", keptFor("45s"), 45_000, 0],
    ["not at all where its pool says so", keptFor("0"), 0, 0],
  ])("is kept %s", async (_, pool, ms, expected) => {
    const h = createHarness(pool);
    await afterDeleting(h, "shop/web");
    h.advance(ms);
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toHaveLength(expected);
  });

  it.each<[string, readonly object[]]>([
    ["its pool goes", []],
    ["its pool shrinks", [rawPool("a", ["10.0.0.1/32"])]],
    ["its pool keeps nothing any more", [keptFor("0")]],
  ])("is not kept when %s", async (_, left) => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    h.setPools(...left);
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toEqual([]);
  });

  it("of a Service that lost it with its pool goes back to it when another pool has it", async () => {
    const h = createHarness(POOL);
    await put(h, "shop/a", "shop/b");
    const before = h.addresses("shop/b");
    h.setPools();
    await h.settle();
    expect(h.addresses("shop/b")).toEqual([]);
    await h.remove("shop/a");
    h.setPools(rawPool("renamed", ["10.0.0.0/30"]));
    await h.settle();
    expect(h.addresses("shop/b")).toEqual(before);
  });

  it("of such a Service is not kept for ever", async () => {
    const h = createHarness(POOL);
    await put(h, "shop/web");
    h.setPools();
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toHaveLength(1);
    h.advance(10 * MINUTE);
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toEqual([]);
  });

  it("by nobody but a claim that came to nothing is not kept", async () => {
    const h = createHarness(POOL);
    await admit(h, "shop/web");
    expect(h.claims()).toEqual(["10.0.0.0"]);
    h.advance(MINUTE);
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toEqual([]);
  });

  it("stays kept through a claim for it that came to nothing", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    await admit(h, "shop/web");
    expect(h.kept()).toEqual([]);
    h.advance(MINUTE);
    await h.settle();
    expect(h.kept()).toEqual(["10.0.0.0 shop/web"]);
    expect(await put(h, "shop/web")).toEqual(["10.0.0.0"]);
  });

  it("of two who are after it goes to one, and the other one looks on", async () => {
    const h = createHarness(rawPool("a", ["10.0.0.0/31"]));
    await afterDeleting(h, "shop/a", "shop/b");
    const made = await Promise.all([admit(h, "n/1"), admit(h, "n/2")]);
    expect(made.map(({ spec }) => spec?.loadBalancerIP).sort()).toEqual(["10.0.0.0", "10.0.0.1"]);
  });

  it("is shown to a dry run as it is to the create, and stays kept", async () => {
    const h = createHarness(POOL);
    await afterDeleting(h, "shop/web");
    const written = h.cluster.writes.length;
    const req = new PeprMutateRequest<a.Service>({
      uid: "dry",
      operation: "CREATE",
      namespace: "shop",
      dryRun: true,
      object: serviceOf("shop/web"),
    } as never);
    await mutateService(h.parts, req);
    expect(req.Raw.spec?.loadBalancerIP).toBe("10.0.0.0");
    expect(h.cluster.writes).toHaveLength(written);
  });

  it("costs a Service that only waits nothing: it is woken and served", async () => {
    const h = createHarness(rawPool("a", ["10.0.0.0/32"]));
    await put(h, "shop/web", "shop/waits");
    expect(h.parts.waiting).toEqual(new Set(["shop/waits"]));
    await h.cluster.client.delete(services, "shop/web");
    await h.settle();
    expect(h.addresses("shop/waits")).toEqual(["10.0.0.0"]);
  });
});

describe("the time until which an address is kept", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const vip = (text: string, released?: object) =>
    ({
      metadata: { name: text },
      spec: {
        address: text,
        pool: "a",
        reason: "",
        holders: [],
        ...(released ? { released } : {}),
      },
    }) as never;

  it("is counted from when it was freed, by the pool that has it now", () => {
    const released = { namespace: "shop", name: "web", at };
    const config = configOf(keptFor("1m"));
    expect(keptUntil(vip("10.0.0.1", released), config)).toBe(Date.parse(at) + MINUTE);
    expect(keptUntil(vip("10.0.0.1", released), config, 5)).toBe(5 + MINUTE);
    expect(keptUntil(vip("10.9.9.9", released), config)).toBe(0);
    expect(keptUntil(vip("10.0.0.1", { ...released, at: "nonsense" }), config)).toBe(MINUTE);
    expect(ip("10.0.0.1").family).toBe("ipv4");
  });
});
