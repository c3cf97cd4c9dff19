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
    const refusal = joinRefusal([sharer("held", held)], sharer("new", wished));
    if (words === undefined) expect(refusal).toBeUndefined();
    else expect(refusal?.problem).toContain(words);
  });

  it("metallb 57: a sole holder may change its key", () => {
    expect(joinRefusal([sharer("a", { key: "k" })], sharer("a", { key: "l" }))).toBeUndefined();
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
