import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NODE_MAC, createLan } from "./netns";
import type { Lan } from "./netns";
import { WAIT, arpOwner, ndpOwner, startResponder } from "./responder";
import type { Line, Responder } from "./responder";

const V4 = "172.30.0.240";
const V6 = "fd00:30::240";
const OWN = { do: "own", owned: { [V4]: "all", [V6]: "all" } } as const;

/** This kernel has no IPVS and no dummy: a bridge without ports stands for kube-ipvs0. */
describe("addresses that are local, as kube-proxy makes them in IPVS mode", () => {
  let lan: Lan;
  let responder: Responder;

  beforeEach(async () => {
    lan = await createLan();
    await node("ip", "link", "add", "kube-ipvs0", "type", "bridge");
    await node("ip", "link", "set", "kube-ipvs0", "arp", "off", "up");
  });

  afterEach(async () => {
    await responder.kill();
    await lan.remove();
  });

  const node = (...argv: readonly string[]): Promise<string> => lan.run("node", ...argv);

  async function makeLocal(): Promise<void> {
    for (const address of [`${V4}/32`, `${V6}/128`]) {
      await node("ip", "addr", "add", address, "dev", "kube-ipvs0");
    }
  }

  async function setStrictArp(): Promise<void> {
    await node("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1");
    await node("sysctl", "-qw", "net.ipv4.conf.all.arp_announce=2");
  }

  async function modes(...wanted: readonly string[]): Promise<void> {
    const sorted = (line: Line): string => [...(line.outcome?.modes ?? [])].sort().join();
    await responder.line(line => line.outcome && sorted(line) === [...wanted].sort().join());
  }

  async function expectAnswers(mac: string | undefined): Promise<void> {
    await vi.waitFor(async () => {
      expect((await arpOwner(lan, V4))?.mac).toBe(mac);
      expect(await ndpOwner(lan, V6)).toBe(mac);
    }, WAIT);
  }

  /** How many replies one request of the peer gets. */
  async function replies(address: string): Promise<number> {
    const output = await lan
      .run("peer", "arping", "-c", "1", "-w", "1", "-i", "eth0", address)
      .catch((error: unknown) => String(error));
    return output.split("\n").filter(line => /bytes from|reply from/i.test(line)).length;
  }

  it("are answered for by packets, once, and by the kernel again when they are not local any more", async () => {
    await setStrictArp();
    responder = await startResponder(lan);
    await responder.tell(OWN, line => line.done);
    await modes(`${V4} eth0 proxy`, `${V6} eth0 proxy`);
    await makeLocal();
    await modes(`${V4} eth0 packet`, `${V6} eth0 proxy`);
    await expectAnswers(NODE_MAC);
    expect(await replies(V4)).toBe(1);
    expect((await arpOwner(lan, "172.30.0.241"))?.mac).toBeUndefined();
    const { counts } = await responder.line(line => line.counts);
    expect(counts?.[0]).toMatchObject({ address: V4, asked: counts?.[0]?.answered });
    await responder.tell({ do: "own", owned: {} }, line => line.done);
    await expectAnswers(undefined);
    await responder.tell(OWN, line => line.done);
    responder.lines.length = 0;
    await node("ip", "addr", "del", `${V4}/32`, "dev", "kube-ipvs0");
    await modes(`${V4} eth0 proxy`, `${V6} eth0 proxy`);
    await expectAnswers(NODE_MAC);
  });

  it("a node that does not own them says that strictARP is off, until it is on", async () => {
    await makeLocal();
    responder = await startResponder(lan);
    await responder.tell({ do: "own", owned: {} }, line => line.done);
    await responder.tell({ do: "know", addresses: [V4, V6] }, line => line.done);
    const { outcome } = await responder.line(line => line.outcome?.unguarded.length);
    expect(outcome?.unguarded).toEqual([{ address: V4, interfaceName: "eth0" }]);
    // So it is: the kernel answers for what the node does not own.
    expect((await arpOwner(lan, V4))?.mac).toBe(NODE_MAC);
    await setStrictArp();
    expect((await arpOwner(lan, V4))?.mac).toBeUndefined();
    await responder.tell({ do: "own", owned: {} }, line => line.outcome?.unguarded.length === 0);
  });

  it("where the kernel's settings cannot be made, packets answer in both families", async () => {
    const empty = await mkdtemp(join(tmpdir(), "ancho-no-sysctl-"));
    responder = await startResponder(lan, { SYSCTL_ROOT: empty });
    await responder.tell(OWN, line => line.done);
    await modes(`${V4} eth0 packet`, `${V6} eth0 packet`);
    await expectAnswers(NODE_MAC);
    const [table = ""] = (await lan.run("peer", "ip", "-6", "neigh", "show", V6)).split("\n");
    expect(table).toContain(NODE_MAC);
    // Duplicate address detection of another host finds the address in use.
    await lan.run("peer", "ip", "addr", "add", `${V6}/64`, "dev", "eth0");
    await vi.waitFor(async () => {
      expect(await lan.run("peer", "ip", "addr", "show", "dev", "eth0")).toContain("dadfailed");
    }, WAIT);
    await rm(empty, { recursive: true });
  });
});
