import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Holder } from "../config/kinds/virtual-ip";
import { holderOf, holderTitle, isUnnamedClaimOf, joinRefusal, pendingMsLeft } from "./claim";
import { serviceOf } from "./fixtures";
import type { Service } from "./service";

const SHARED = "metallb.io/allow-shared-ip";
const NOW = Date.parse("2026-01-01T00:00:00Z");

type Wish = { key?: string; port?: number; protocol?: string; local?: boolean; app?: string };

function sharer(name: string, wish: Wish): Holder {
  const { key, port = 80, protocol = "TCP", local = false, app = "web" } = wish;
  const service = serviceOf(`shop/${name}`, {
    ...(key ? { annotations: { [SHARED]: key } } : {}),
    spec: {
      ports: [{ port, protocol }],
      selector: { app },
      externalTrafficPolicy: local ? "Local" : "Cluster",
    },
  });
  return holderOf(service, { namespace: "shop", now: NOW });
}

const join = (holders: readonly Holder[], mine: Holder, sharing: "all" | "namespace" = "all") =>
  joinRefusal(holders, { mine, sharing });

describe("who may share an address", () => {
  it.each<[string, Wish, Wish, string | undefined]>([
    ["metallb 58: same key, other port", { key: "k", port: 443 }, { key: "k" }, undefined],
    [
      "metallb 59: same port, other protocol",
      { key: "k" },
      { key: "k", protocol: "UDP" },
      undefined,
    ],
    ["metallb 58: same key, same port", { key: "k" }, { key: "k" }, "uses its port TCP/80"],
    ["metallb 58: other key", { key: "k" }, { key: "l", port: 1 }, "only under another key"],
    ["metallb 54: no key at all", {}, { port: 1 }, "does not share it"],
    ["no key on the holder", {}, { key: "k", port: 1 }, "does not share it"],
    ["metallb 58: Cluster and Local", { key: "k" }, { key: "k", port: 1, local: true }, "differ"],
    [
      "Local with other pods",
      { key: "k", local: true },
      { key: "k", port: 1, local: true, app: "api" },
      "differ",
    ],
    [
      "Local with the same pods",
      { key: "k", local: true },
      { key: "k", port: 1, local: true },
      undefined,
    ],
    ["Cluster with other pods", { key: "k" }, { key: "k", port: 1, app: "api" }, undefined],
  ])("%s", (_, held, wished, words) => {
    const refusal = join([sharer("held", held)], sharer("new", wished));
    if (words === undefined) expect(refusal).toBeUndefined();
    else expect(refusal?.problem).toContain(words);
  });

  it("metallb 57: a sole holder may change its key", () => {
    expect(join([sharer("a", { key: "k" })], sharer("a", { key: "l" }))).toBeUndefined();
  });
});

describe("the guard of a pool that shares within a namespace", () => {
  const theirs = { ...sharer("web", { key: "k" }), namespace: "other" };
  const mine = sharer("api", { key: "k", port: 81 });

  it("keeps out who comes from another namespace, and says so", () => {
    expect(join([theirs], mine, "namespace")).toEqual({
      by: theirs,
      problem:
        'is held by other/web of another namespace, and its IPAddressPool has ancho.dev/sharing "namespace"',
      remedy:
        'ask for another address, or have the pool\'s annotation ancho.dev/sharing set to "all"',
    });
    expect(join([theirs], mine)).toBeUndefined();
  });

  it("lets in who comes from the same one, and speaks of a port that is taken before all", () => {
    expect(join([sharer("web", { key: "k" })], mine, "namespace")).toBeUndefined();
    expect(join([theirs], { ...mine, ports: theirs.ports! }, "namespace")?.problem).toContain(
      "uses its port TCP/80",
    );
  });

  it("puts nobody out who is in", () => {
    expect(join([theirs, mine], mine, "namespace")).toBeUndefined();
  });
});

describe("the predicate, beside MetalLB's own words", () => {
  const ports = fc.uniqueArray(
    fc.record({
      port: fc.constantFrom(53, 80, 443),
      protocol: fc.constantFrom("TCP", "UDP", undefined),
    }),
    { selector: ({ port, protocol }) => `${protocol ?? "TCP"}/${port}`, minLength: 1 },
  );
  const service = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    namespace: fc.constantFrom("shop", "other"),
    key: fc.option(fc.constantFrom("k", "l", "")),
    legacy: fc.boolean(),
    ports,
    local: fc.boolean(),
    selector: fc.option(fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("x", "y"))),
  });
  type Wished = typeof service extends fc.Arbitrary<infer T> ? T : never;

  const holderFor = (wished: Wished): Holder => {
    const annotation = wished.legacy ? "metallb.universe.tf/allow-shared-ip" : SHARED;
    const made = serviceOf(`${wished.namespace}/${wished.name}`, {
      ...(wished.key === null ? {} : { annotations: { [annotation]: wished.key } }),
      spec: {
        ports: wished.ports.map(({ port, protocol }) => {
          return { port, ...(protocol === undefined ? {} : { protocol }) };
        }),
        ...(wished.selector ? { selector: wished.selector } : {}),
        externalTrafficPolicy: wished.local ? "Local" : "Cluster",
      },
    });
    return holderOf(made, { namespace: wished.namespace, now: NOW });
  };

  // internal/allocator: SharingOK of the key, Ports, and labels.Set.String() of the selector.
  function backendOf({ local, selector }: Wished): string {
    if (!local) return "";
    return Object.keys(selector ?? {})
      .sort()
      .map(label => `${label}=${selector?.[label] ?? ""}`)
      .join(",");
  }

  function allows(holder: Wished, mine: Wished): boolean {
    if (!holder.key || !mine.key || holder.key !== mine.key) return false;
    if (backendOf(holder) !== backendOf(mine)) return false;
    return !holder.ports.some(used =>
      mine.ports.some(
        wanted =>
          wanted.port === used.port && (wanted.protocol ?? "TCP") === (used.protocol ?? "TCP"),
      ),
    );
  }

  const title = ({ namespace, name }: Wished): string => `${namespace}/${name}`;
  const crowd = fc.uniqueArray(service, { selector: title, maxLength: 5 });

  it("says the same of any holders and any newcomer, with the guard and without", () => {
    fc.assert(
      fc.property(crowd, service, fc.constantFrom("all", "namespace"), (holders, mine, guard) => {
        const others = holders.filter(holder => title(holder) !== title(mine));
        const isIn = others.length < holders.length;
        const isGuarded = guard === "namespace" && !isIn;
        const expected =
          others.every(holder => allows(holder, mine)) &&
          (!isGuarded || others.every(({ namespace }) => namespace === mine.namespace));
        const refusal = join(holders.map(holderFor), holderFor(mine), guard);
        expect(refusal === undefined).toBe(expected);
        if (refusal) expect(others.map(title)).toContain(holderTitle(refusal.by));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is symmetric", () => {
    fc.assert(
      fc.property(service, service, (a, b) => {
        fc.pre(title(a) !== title(b));
        const [one, two] = [holderFor(a), holderFor(b)];
        expect(join([one], two) === undefined).toBe(join([two], one) === undefined);
      }),
    );
  });
});

describe("claims that wait for their Service", () => {
  const unnamed: Service = { metadata: { generateName: "web-" } };
  const pending = holderOf(unnamed, { namespace: "shop", claimId: "request", now: NOW });

  it("have a time to live", () => {
    expect(pendingMsLeft(pending, NOW + 59_000)).toBe(1_000);
    expect(pendingMsLeft(pending, NOW + 61_000)).toBe(0);
    expect(pendingMsLeft({ ...pending, claimedAt: "nonsense" }, NOW)).toBe(0);
  });

  it("are recognised by the prefix of the name", () => {
    const made: Service = { metadata: { generateName: "web-", name: "web-x7" } };
    expect(isUnnamedClaimOf(pending, made, "shop")).toBe(true);
    expect(isUnnamedClaimOf(pending, made, "other")).toBe(false);
    expect(isUnnamedClaimOf(pending, { metadata: { name: "web-x7" } }, "shop")).toBe(false);
    expect(holderTitle(pending)).toBe("shop/web-*");
  });
});
