import { describe, expect, it } from "vitest";
import type { Link } from "../layer2/kernel-state";
import { readSighting } from "../packet/sighting";
import type { Plan } from "../plan";
import { createObserver } from "./observer";

const IP = "172.30.0.240";
const LINK = { index: 2, name: "eth0", mac: "02:00:00:00:00:11", ipv4: "172.30.0.11" } as Link;
const MAC = "02:00:00:00:00:12";
const PLAN: Plan = {
  addresses: new Map([[IP, { address: IP, owner: "n2", interfaces: "all", services: [] }]]),
  verdicts: [],
  groups: [],
};
const NEWS = { plan: PLAN, alive: new Set(["n1", "n2"]) };

function setUp() {
  const asked: (string | undefined)[] = [];
  const changes: string[] = [];
  let now = 0;
  const observer = createObserver({
    me: "n1",
    send: (_, frame) => asked.push(readSighting(frame)?.address),
    links: () => [LINK],
    hosts: () => new Map([[MAC, "n2"]]),
    canSee: () => true,
    now: () => now,
    onChange: address => changes.push(address),
    onError: () => undefined,
  });
  /** Goes on to a time in steps; whoever is asked answers with these. */
  const run = (to: number, ...macs: readonly string[]): void => {
    for (; now < to; now += 100) {
      const before = asked.length;
      observer.round(now);
      if (asked.length === before) continue;
      for (const mac of macs) observer.hear({ what: "reply", address: IP, mac }, 2);
    }
  };
  return { observer, asked, changes, run };
}

describe("createObserver", () => {
  it("asks as this node itself, and tells who answers", () => {
    const { observer, asked, changes, run } = setUp();
    expect([observer.look(NEWS), observer.look(NEWS)]).toEqual([true, false]);
    expect([...observer.addresses()]).toEqual([IP]);
    run(3_000, MAC);
    expect(asked).toEqual(["172.30.0.11"]);
    expect(changes).toEqual([IP]);
    expect(observer.sight(IP)).toMatchObject({ text: "n2", node: "n2", mac: MAC });
    expect(observer.counts()).toEqual({ owner: 1, other: 0, nobody: 0 });
  });

  it("counts what is answered for by another, by several, or by nobody", () => {
    const { observer, run } = setUp();
    observer.look(NEWS);
    run(3_000, MAC, "02:00:00:00:00:99");
    expect(observer.counts()).toEqual({ owner: 0, other: 1, nobody: 0 });
    run(40_000);
    expect(observer.counts()).toEqual({ owner: 0, other: 0, nobody: 1 });
    expect(observer.sight(IP)?.text).toBe("nobody");
  });

  it("what a host only asks is no answer, and what is not observed has no sight", () => {
    const { observer, run, changes } = setUp();
    observer.look(NEWS);
    run(700);
    observer.hear({ what: "request", address: IP, mac: MAC }, 2);
    run(2_000);
    expect([changes, observer.sight("172.30.0.241")]).toEqual([[], undefined]);
    observer.look({ ...NEWS, alive: new Set(["n2"]) });
    expect([...observer.addresses()]).toEqual([]);
  });
});
