import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NODE_MAC, addCable, createLan } from "./netns";
import type { Lan } from "./netns";
import { WAIT, arpOwner, ndpOwner, startResponder } from "./responder";
import type { Responder } from "./responder";

const V4 = "172.30.0.240";
const V6 = "fd00:30::240";
const OTHER_MAC = "02:00:00:00:00:77";

/** Each test has hosts of its own: what it does to links cannot be undone. */
describe("what happens to links", () => {
  let lan: Lan;
  let responder: Responder;

  beforeEach(async () => {
    lan = await createLan();
    responder = await startResponder(lan);
  });

  afterEach(async () => {
    await responder.kill();
    await lan.remove();
  });

  const node = (...argv: readonly string[]): Promise<string> => lan.run("node", "ip", ...argv);
  const peer = (...argv: readonly string[]): Promise<string> => lan.run("peer", "ip", ...argv);

  async function own(interfaces: "all" | readonly string[] = "all"): Promise<void> {
    const owned = { [V4]: interfaces, [V6]: interfaces };
    await responder.tell({ do: "own", owned }, line => line.done);
  }

  async function expectOwner(mac: string | undefined, link = "eth0"): Promise<void> {
    await vi.waitFor(async () => {
      expect((await arpOwner(lan, V4, link))?.mac).toBe(mac);
      expect(await ndpOwner(lan, V6, link)).toBe(mac);
    }, WAIT);
  }

  /** What the peer takes for the address's MAC address, without having asked. */
  async function expectTold(mac: string): Promise<void> {
    await vi.waitFor(async () => {
      const table = await peer("neigh", "show", "dev", "eth0");
      expect(table).toContain(`${V4} lladdr ${mac}`);
      expect(table).toContain(`${V6} lladdr ${mac}`);
    }, WAIT);
  }

  /** The peer talks to the address's former place, and asks nobody. */
  async function putStale(): Promise<void> {
    const stale = ["lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale"];
    for (const address of [V4, V6]) await peer("neigh", "replace", address, ...stale);
  }

  it("an interface that comes after the address answers, in both families", async () => {
    await own(["eth1"]);
    await addCable(lan, "eth1");
    await node("link", "set", "eth1", "address", OTHER_MAC);
    await peer("addr", "add", "172.30.0.201/24", "dev", "eth1");
    await peer("addr", "add", "fd00:30::201/64", "dev", "eth1", "nodad");
    await expectOwner(OTHER_MAC, "eth1");
    expect(await lan.run("node", "ip", "maddr", "show", "dev", "eth1")).toContain(
      "ff02::1:ff00:240",
    );
  });

  it("a new MAC address is told to the neighbors", async () => {
    await own();
    await expectOwner(NODE_MAC);
    await putStale();
    await node("link", "set", "eth0", "address", OTHER_MAC);
    await expectTold(OTHER_MAC);
    await expectOwner(OTHER_MAC);
  });

  it("a cable that is plugged in again is told to the neighbors", async () => {
    await own();
    await expectOwner(NODE_MAC);
    await lan.run("sw", "ip", "link", "set", "node", "down");
    await vi.waitFor(async () => {
      expect(await node("link", "show", "eth0")).toContain("NO-CARRIER");
    }, WAIT);
    await putStale();
    await lan.run("sw", "ip", "link", "set", "node", "up");
    await expectTold(NODE_MAC);
  });

  it("an interface that becomes a port of a bridge hands over to the bridge", async () => {
    await own();
    await expectOwner(NODE_MAC);
    await node("link", "add", "br0", "address", OTHER_MAC, "type", "bridge");
    await node("link", "set", "eth0", "master", "br0");
    await node("link", "set", "br0", "up");
    await expectOwner(OTHER_MAC);
    expect(await node("neigh", "show", "proxy")).not.toContain("dev eth0");
  });

  it("an interface on top of another answers for itself, as a VLAN's does", async () => {
    const macvlan = ["type", "macvlan", "mode", "bridge"];
    await node("link", "add", "link", "eth0", "name", "lan7", "address", OTHER_MAC, ...macvlan);
    await node("link", "set", "lan7", "up");
    await own(["lan7"]);
    await expectOwner(OTHER_MAC);
    await own(["eth0"]);
    await expectOwner(NODE_MAC);
  });

  it("metallb 171: two LANs are answered on both, each with its own MAC address", async () => {
    await addCable(lan, "eth1");
    await node("link", "set", "eth1", "address", OTHER_MAC);
    await peer("addr", "add", "172.30.0.201/24", "dev", "eth1");
    await peer("addr", "add", "fd00:30::201/64", "dev", "eth1", "nodad");
    await own(["eth0", "eth1"]);
    await expectOwner(NODE_MAC, "eth0");
    await expectOwner(OTHER_MAC, "eth1");
  });

  it("an interface with another name is another interface", async () => {
    await own(["eth0"]);
    await expectOwner(NODE_MAC);
    await node("link", "set", "eth0", "name", "lan0");
    await vi.waitFor(async () => {
      expect(await node("neigh", "show", "proxy")).toBe("");
    }, WAIT);
    await node("link", "set", "lan0", "name", "eth0");
    await expectOwner(NODE_MAC);
  });

  it("a route and settings that somebody takes away come back", async () => {
    await own();
    await expectOwner(NODE_MAC);
    for (const setting of ["net.ipv6.conf.eth0.proxy_ndp=0", "net.ipv4.conf.eth0.forwarding=0"]) {
      await lan.run("node", "sysctl", "-qw", setting);
    }
    await node("route", "del", V4, "dev", "ancho0");
    await expectOwner(NODE_MAC);
    const got = await lan.run("node", "sysctl", "-n", "net.ipv6.conf.eth0.proxy_ndp");
    expect(got.trim()).toBe("1");
    expect(await node("route", "show", "proto", "114")).toContain(V4);
  });
});
