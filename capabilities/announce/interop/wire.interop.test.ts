import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Converged } from "../wire/convergence";
import type { WireDuty } from "../wire/duties";
import type { Conflict } from "../wire/wire";
import { Child } from "./child";
import { NODE_MAC, createLan } from "./netns";
import type { Lan } from "./netns";
import type { Command } from "./wire-process";

const V4 = "172.30.0.240";
const V6 = "fd00:30::240";
const PEER_MAC = "02:00:00:00:00:22";
const FIRST: WireDuty = { interfaces: "all", isFirstUse: true, isShared: false };
const IN_USE: WireDuty = { ...FIRST, isFirstUse: false };

type Line = {
  readonly ready?: boolean;
  readonly conflicts?: Readonly<Record<string, Conflict>>;
  readonly withheld?: readonly string[];
  readonly defended?: string;
  readonly converged?: Converged;
  readonly problem?: string;
  readonly neighbors?: readonly object[];
  readonly gateways?: readonly object[];
};

/** The stranger is the kernel of the host `peer`. */
describe("a stranger on the LAN", () => {
  let lan: Lan;
  let wire: Child<Line, Command>;

  beforeEach(async () => {
    lan = await createLan();
    wire = new Child(lan, "node", "wire-process.ts");
    await wire.line(line => line.ready);
  });

  afterEach(async () => {
    const problems = wire.lines.flatMap(({ problem }) => problem ?? []);
    await wire.kill();
    await lan.remove();
    expect(problems).toEqual([]);
  });

  const peer = (...argv: readonly string[]): Promise<string> => lan.run("peer", ...argv);
  const lookAfter = (duty: WireDuty, nodes: readonly string[] = []): void => {
    wire.tell({ do: "look-after", duties: { [V4]: duty, [V6]: duty }, nodes });
  };

  async function take(): Promise<void> {
    await peer("ip", "addr", "add", `${V4}/24`, "dev", "eth0");
    await peer("ip", "addr", "add", `${V6}/64`, "dev", "eth0", "nodad");
  }

  it("nobody has the addresses: both are free after the probes", async () => {
    lookAfter(FIRST);
    await wire.line(({ withheld }) => withheld?.length === 2);
    await wire.line(({ withheld }) => withheld?.length === 0);
    expect(wire.lines.some(({ conflicts }) => Object.keys(conflicts ?? {}).length > 0)).toBe(false);
  });

  it("a kernel that has them answers the probes of both families, and is found by its MAC", async () => {
    await take();
    lookAfter(FIRST);
    const found = await wire.line(({ conflicts }) => Object.keys(conflicts ?? {}).length === 2);
    const conflict = { mac: PEER_MAC, interface: "eth0", isInUse: false };
    expect(found.conflicts).toEqual({ [V4]: conflict, [V6]: conflict });
    expect(found.withheld).toEqual([V4, V6]);
    // It goes: three questions without an answer end the quarantine.
    await peer("ip", "addr", "del", `${V4}/24`, "dev", "eth0");
    await peer("ip", "addr", "del", `${V6}/64`, "dev", "eth0");
    await wire.line(({ withheld }) => withheld?.length === 0);
  });

  it("a node of the cluster that has them is no stranger", async () => {
    await take();
    lookAfter(FIRST, [PEER_MAC]);
    await wire.line(({ withheld }) => withheld?.length === 0);
    expect(wire.lines.some(({ conflicts }) => Object.keys(conflicts ?? {}).length > 0)).toBe(false);
  });

  it("in use: one that takes an address and speaks from it is found, and the address is defended", async () => {
    lookAfter(IN_USE);
    await take();
    // The first packet to a neighbor that it has to look for is a broadcast that says who it is.
    await peer("ping", "-c", "1", "-W", "1", "-I", V4, "172.30.0.99").catch(() => "");
    const found = await wire.line(({ conflicts }) => conflicts?.[V4]);
    expect(found.conflicts?.[V4]).toEqual({ mac: PEER_MAC, interface: "eth0", isInUse: true });
    expect(found.withheld).toEqual([]);
    await wire.line(({ defended }) => defended === V4);
    await peer("ping", "-6", "-c", "1", "-W", "1", "-I", V6, "fd00:30::99").catch(() => "");
    await wire.line(({ conflicts }) => conflicts?.[V6]?.mac === PEER_MAC);
  });

  it("one that asks before it takes an address learns that it is in use, and is no conflict", async () => {
    lookAfter(IN_USE);
    // Probes: requests whose sender is zero.
    const found = await peer("arping", "-0", "-c", "3", "-i", "eth0", V4);
    expect(found).toContain("from 02:00:00:00:00:11");
    await wire.line(({ defended }) => defended === V4);
    expect(wire.lines.some(({ conflicts }) => conflicts?.[V4])).toBe(false);
  });

  it("a gateway that was told nothing learns of an address from the question, and its answer is the proof", async () => {
    await lan.run("node", "ip", "route", "add", "default", "via", "172.30.0.200");
    await lan.run("node", "ip", "-6", "route", "add", "default", "via", "fd00:30::200");
    for (const address of [V4, V6]) {
      const stale = ["lladdr", "02:00:00:00:00:98", "dev", "eth0", "nud", "stale"];
      await peer("ip", "neigh", "replace", address, ...stale);
      wire.tell({ do: "take-over", address });
      const { converged } = await wire.line(line => line.converged);
      expect(converged).toMatchObject({ address, silent: [] });
      expect(converged?.ms).toBeGreaterThan(0);
      expect(await peer("ip", "neigh", "show", "to", address)).toContain(`lladdr ${NODE_MAC}`);
    }
  });

  it("reads the kernel's neighbors and gateways, and no more than is known", async () => {
    await lan.run("node", "ip", "route", "add", "default", "via", "172.30.0.200");
    await lan.run("node", "ip", "-6", "route", "add", "default", "via", "fd00:30::200");
    await lan.run("node", "ping", "-c", "1", "-W", "2", "172.30.0.200");
    await lan.run("node", "ping", "-c", "1", "-W", "1", "172.30.0.98").catch(() => "");
    wire.tell({ do: "tables" });
    const { neighbors, gateways } = await wire.line(line => line.neighbors);
    expect(neighbors).toContainEqual(
      expect.objectContaining({ address: "172.30.0.200", mac: PEER_MAC }),
    );
    expect(neighbors).not.toContainEqual(expect.objectContaining({ address: "172.30.0.98" }));
    expect(gateways).toEqual([
      expect.objectContaining({ address: "172.30.0.200" }),
      expect.objectContaining({ address: "fd00:30::200" }),
    ]);
  });
});
