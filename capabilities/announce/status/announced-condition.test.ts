import type { kind } from "kubernetes-fluent-client";
import { describe, expect, it } from "vitest";
import type { Verdict } from "../plan";
import {
  announcedOf,
  announcedPatch,
  isFirstSilence,
  isGoodNews,
  isSaid,
} from "./announced-condition";
import type { AnnouncedInput, ByBgp } from "./announced-condition";

const IP = "172.30.0.240";
const V6 = "fd00::240";
const owned = (address: string, owner: string): Verdict => ({
  service: "default/web",
  address,
  refusals: new Map(),
  owner,
});
const silent = (address: string): Verdict => ({
  service: "default/web",
  address,
  refusals: new Map(),
  reason: "noEndpoints",
  message: "no endpoint of the Service is ready or serving",
});
const ask = (verdicts: readonly Verdict[], over: Partial<AnnouncedInput> = {}) =>
  announcedOf({
    me: "n1",
    verdicts,
    alive: new Set(["n2", "n1"]),
    answering: new Set([IP, V6]),
    withoutInterface: new Set(),
    byBgp: () => undefined,
    conflict: () => undefined,
    problems: [],
    ...over,
  });

describe("announcedOf", () => {
  it("is True when all addresses are answered for", () => {
    expect(ask([owned(IP, "n1"), owned(V6, "n1")])).toEqual({
      status: "True",
      reason: "Layer2",
      message: `A node answers for ${IP} and ${V6}`,
    });
  });

  it("has a reason of its own when the families are on different nodes", () => {
    expect(ask([owned(IP, "n1"), owned(V6, "n2")])).toEqual({
      status: "True",
      reason: "Layer2Split",
      message: `Several nodes answer: node n1 for ${IP}, node n2 for ${V6}; to have one, let the L2Advertisements of all addresses select a node in common`,
    });
  });

  it("the owner of the first address speaks, or else the first node that is alive; nobody twice", () => {
    expect(ask([owned(IP, "n2"), owned(V6, "n1")])).toBeUndefined();
    expect(ask([silent(IP), owned(V6, "n2")])).toBeUndefined();
    expect(ask([silent(IP)])).toBeDefined();
    expect(ask([silent(IP)], { me: "n2" })).toBeUndefined();
    expect(ask([silent(IP)], { alive: new Set() })).toBeUndefined();
    expect(ask([])).toBe("nothing");
    expect(ask([], { me: "n2" })).toBeUndefined();
  });

  it("is False with the reason and a sentence for each address that nobody answers for", () => {
    expect(ask([owned(IP, "n1"), silent(V6)])).toEqual({
      status: "False",
      reason: "NoEndpoints",
      message: `${V6}: no endpoint of the Service is ready or serving`,
    });
    expect(ask([silent(IP), silent(V6)])).toMatchObject({
      message: expect.stringContaining(`; ${V6}: no endpoint`) as string,
    });
  });

  it("says what the kernel refused where it does not answer, and nothing of it where it does", () => {
    const problems = ["kernel: add-proxy failed (EPERM): add the capability NET_ADMIN"];
    expect(ask([owned(IP, "n1")], { answering: new Set(), problems })).toEqual({
      status: "False",
      reason: "KernelRefused",
      message: `${IP}: node n1 cannot answer for it: ${problems[0]}`,
    });
    expect(ask([owned(IP, "n1")], { problems })).toMatchObject({ status: "True" });
  });

  it("names the stranger that has an address, whether it was in use here before or not", () => {
    const stranger = { mac: "02:00:00:00:00:99", interface: "eth0", seenBy: "n1", since: "" };
    for (const [isInUse, effect] of [
      [true, "clients may reach it instead of the Service"],
      [false, "so it is not announced"],
    ] as const) {
      const conflict = () => ({ ...stranger, isInUse });
      expect(ask([owned(IP, "n1")], { conflict })).toEqual({
        status: "False",
        reason: "AddressConflict",
        message: `${IP}: a host outside the cluster has the address, MAC 02:00:00:00:00:99, seen by node n1 on eth0: ${effect}; take the address from that host, or out of the pool`,
      });
    }
  });

  it("waits for the kernel, and names a node without an interface", () => {
    expect(ask([owned(IP, "n1")], { answering: new Set() })).toBeUndefined();
    const none = ask([owned(IP, "n1")], {
      answering: new Set(),
      withoutInterface: new Set([IP]),
    });
    expect(none).toMatchObject({
      status: "False",
      reason: "NoInterface",
      message: expect.stringContaining("no interface of node n1 fits") as string,
    });
  });
});

describe("announcedOf what goes by BGP", () => {
  const unwanted = (address: string): Verdict => ({
    ...{ service: "default/web", address, refusals: new Map() },
    reason: "noMatchingAdvertisement",
    message: "no L2Advertisement",
  });
  const silence = { reason: "noSession", message: "no session" };
  const by = (standings: Record<string, ByBgp>, me = "n1"): Partial<AnnouncedInput> => ({
    me,
    byBgp: address => standings[address],
  });

  it("is True while a node advertises the addresses; the first of them speaks", () => {
    const standing = by({ [IP]: { nodes: ["n2", "n3"] }, [V6]: { nodes: ["n3"] } }, "n2");
    expect(ask([unwanted(IP), unwanted(V6)], standing)).toEqual({
      status: "True",
      reason: "BGP",
      message: `BGP routers are told of ${IP} and ${V6}`,
    });
    expect(ask([unwanted(IP)], { ...standing, me: "n1" })).toBeUndefined();
  });

  it("is both where layer 2 answers, too", () => {
    expect(ask([owned(IP, "n1")], by({ [IP]: { nodes: ["n2"] } }))).toMatchObject({
      status: "True",
      reason: "Layer2AndBGP",
    });
  });

  it("is False with BGP's reason when nobody advertises, and undecided while that is not known", () => {
    expect(ask([unwanted(IP)], by({ [IP]: { nodes: [], silence } }))).toEqual({
      status: "False",
      reason: "NoSession",
      message: `${IP}: no session`,
    });
    expect(ask([unwanted(IP)], by({ [IP]: { nodes: [] } }))).toBeUndefined();
  });

  it("keeps reasons that have nothing to do with how it is announced", () => {
    expect(ask([silent(IP)], by({ [IP]: { nodes: [], silence } }))).toMatchObject({
      reason: "NoEndpoints",
    });
    expect(ask([unwanted(IP)])).toMatchObject({ reason: "NoMatchingAdvertisement" });
  });
});

describe("announcedPatch", () => {
  const said = { status: "False", reason: "NoEndpoints", message: "x" } as const;
  const other = { type: "AddressAssigned", status: "True", reason: "Assigned", message: "" };
  const service = (conditions: readonly object[]) =>
    ({
      metadata: { name: "web", resourceVersion: "7" },
      status: { conditions },
    }) as unknown as kind.Service;
  const NOW = new Date("2026-01-02T03:04:05.678Z");
  const at = (lastTransitionTime: string) => ({ type: "Announced", ...said, lastTransitionTime });

  it("keeps what others say, and holds for the version that was read only", () => {
    expect(announcedPatch(service([other]), said, NOW)).toEqual({
      metadata: { resourceVersion: "7" },
      status: { conditions: [other, at("2026-01-02T03:04:05Z")] },
    });
  });

  it("the time is that of the last change of status, not of the words", () => {
    const before = { ...at("2025-01-01T00:00:00Z"), reason: "NoEligibleNode" };
    const status = announcedPatch(service([before]), said, NOW);
    expect(status).toMatchObject({ status: { conditions: [at("2025-01-01T00:00:00Z")] } });
    const turned = announcedPatch(service([{ ...before, status: "True" }]), said, NOW);
    expect(turned).toMatchObject({ status: { conditions: [at("2026-01-02T03:04:05Z")] } });
  });

  it("takes the condition away, and nobody else's, when there is nothing to say", () => {
    const metadata = { resourceVersion: "7" };
    expect(announcedPatch(service([other, at("")]), "nothing", NOW)).toEqual({
      metadata,
      status: { conditions: [other] },
    });
    expect(announcedPatch(service([at("")]), "nothing", NOW)).toEqual({
      metadata,
      status: { conditions: null },
    });
  });

  it("knows what is said already", () => {
    expect(isSaid(service([other]), "nothing")).toBe(true);
    expect(isSaid(service([at("")]), "nothing")).toBe(false);
    expect(isSaid(service([at("")]), said)).toBe(true);
    expect(isSaid(service([{ ...at(""), message: "y" }]), said)).toBe(false);
    expect(isSaid(service([]), said)).toBe(false);
  });

  it("knows the first word of silence from a change, which is told at once", () => {
    const silent = { status: "False", reason: "NoOwner", message: "x" } as const;
    expect(isFirstSilence(service([other]), silent)).toBe(true);
    expect(isFirstSilence(service([at("")]), silent)).toBe(false);
    expect(isFirstSilence(service([]), { ...silent, status: "True" })).toBe(false);
    expect(isFirstSilence(service([]), "nothing")).toBe(false);
  });

  it("Reachable goes with Announced, in one patch, each with its own time", () => {
    const reachable = { status: "Unknown", reason: "NotObserved", message: "z" } as const;
    const before = at("2025-01-01T00:00:00Z");
    const patch = announcedPatch(service([other, before]), { ...said, reachable }, NOW);
    const seen = { type: "Reachable", ...reachable, lastTransitionTime: "2026-01-02T03:04:05Z" };
    expect(patch).toMatchObject({ status: { conditions: [other, before, seen] } });
    expect(isSaid(service([before, seen]), { ...said, reachable })).toBe(true);
    expect(isSaid(service([before]), { ...said, reachable })).toBe(false);
    expect(isSaid(service([before, seen]), said)).toBe(false);
    expect(announcedPatch(service([before, seen]), "nothing", NOW)).toMatchObject({
      status: { conditions: null },
    });
  });

  it("that nothing is wrong can wait, unless something was, or more is new", () => {
    const reachable = { status: "True", reason: "OwnerAnswers", message: "z" } as const;
    const was = (status: string) => ({ ...reachable, type: "Reachable", status });
    const wanted = { ...said, reachable };
    expect(isGoodNews(service([at(""), was("Unknown")]), wanted)).toBe(true);
    expect(isGoodNews(service([at("")]), said)).toBe(false);
    expect(isGoodNews(service([at(""), was("False")]), wanted)).toBe(false);
    expect(isGoodNews(service([was("Unknown")]), wanted)).toBe(false);
    expect(isGoodNews(service([at(""), was("Unknown")]), "nothing")).toBe(false);
  });
});
