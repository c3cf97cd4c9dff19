import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { NODE_MAC, createLan } from "./netns";
import type { Lan } from "./netns";
import { Responder, WAIT, arpOwner, ndpOwner } from "./responder";
import type { Line } from "./responder";

const V4 = "172.30.0.240";
const V6 = "fd00:30::240";
const BOTH = { do: "own", owned: { [V4]: "all", [V6]: "all" } } as const;
describe("layer 2 on a real kernel", () => {
  let lan: Lan;
  const started: Responder[] = [];

  beforeAll(async () => {
    lan = await createLan();
  });

  afterAll(async () => {
    await lan.remove();
  });

  let responder: Responder;
  beforeEach(async () => {
    responder = await start();
  });

  afterEach(async () => {
    // A running responder would put back what is removed, as it should.
    for (const process of started.splice(0)) await process.kill();
    expect(await cleanUp()).toEqual([]);
    expect(await leftovers()).toBe("");
  });

  async function start(): Promise<Responder> {
    const process = new Responder(lan);
    started.push(process);
    await process.line(line => line.ready);
    return process;
  }

  async function cleanUp(): Promise<Line["cleaned"]> {
    const process = new Responder(lan);
    await process.line(line => line.ready);
    const { cleaned } = await process.tell({ do: "cleanup" }, line => line.cleaned);
    await process.kill();
    return cleaned;
  }

  async function own(): Promise<void> {
    await responder.tell(BOTH, line => line.done);
  }

  /** What of ours the node's kernel holds. */
  async function leftovers(): Promise<string> {
    const shown = await Promise.all([
      lan.run("node", "ip", "neigh", "show", "proxy"),
      lan.run("node", "ip", "-6", "neigh", "show", "proxy"),
      lan.run("node", "ip", "route", "show", "table", "all", "proto", "114"),
      lan.run("node", "ip", "-6", "route", "show", "table", "all", "proto", "114"),
      lan.run("node", "ip", "-o", "link", "show", "type", "bridge"),
    ]);
    return shown.join("");
  }

  const arp = (address: string) => arpOwner(lan, address);
  const ndp = (address: string) => ndpOwner(lan, address);

  async function expectAnswers(): Promise<void> {
    await vi.waitFor(async () => {
      expect((await arp(V4))?.mac).toBe(NODE_MAC);
      expect(await ndp(V6)).toBe(NODE_MAC);
    }, WAIT);
  }

  it("the kernel answers ARP and NDP for what is owned, at once, and for nothing else", async () => {
    expect(await arp(V4)).toBeUndefined();
    await own();
    await expectAnswers();
    expect((await arp(V4))?.ms).toBeLessThan(50);
    expect(await arp("172.30.0.241")).toBeUndefined();
    expect(await ndp("fd00:30::241")).toBeUndefined();
  });

  it("answers a neighbour that verifies what it knows, by solicitations to the address itself", async () => {
    await own();
    await expectAnswers();
    const probe = ["lladdr", NODE_MAC, "dev", "eth0", "nud", "probe"];
    await lan.run("peer", "ip", "neigh", "replace", V6, ...probe);
    await vi.waitFor(async () => {
      expect(await lan.run("peer", "ip", "neigh", "show", V6)).toContain("REACHABLE");
    }, WAIT);
  });

  it("needs NET_ADMIN and NET_RAW, and no other capability", async () => {
    const both = ((1 << 12) | (1 << 13)).toString(16).padStart(16, "0");
    expect(await responder.capabilities()).toEqual([both, both]);
    const { outcome } = await responder.tell(BOTH, line => line.outcome);
    expect(outcome?.problems).toEqual([]);
    await expectAnswers();
  });

  it("marks what is its own and changes nothing when nothing is to change", async () => {
    await own();
    const shown = await leftovers();
    expect(shown).toContain(`${V4} dev eth0 proxy proto 114`);
    expect(shown).toMatch(new RegExp(`${V4} dev ancho0 .*scope link`));
    expect(await lan.run("node", "ip", "link", "show", "ancho0")).toContain("NOARP,UP");
    await own();
    const { outcome } = await responder.line(line => line.outcome);
    expect(outcome).toMatchObject({ fresh: [], problems: [] });
    expect(await leftovers()).toBe(shown);
  });

  it("answers again after the link went down and up", async () => {
    await own();
    await expectAnswers();
    await lan.run("node", "ip", "link", "set", "eth0", "down");
    await vi.waitFor(async () => {
      expect(await lan.run("node", "ip", "neigh", "show", "proxy")).toBe("");
    }, WAIT);
    await lan.run("node", "ip", "link", "set", "eth0", "up");
    await lan.run("node", "ip", "addr", "replace", "fd00:30::11/64", "dev", "eth0", "nodad");
    await expectAnswers();
  });

  it("takes ancho0 up again when somebody took it down", async () => {
    await own();
    await lan.run("node", "ip", "link", "set", "ancho0", "down");
    await expectAnswers();
    expect(await lan.run("node", "ip", "route", "show", "proto", "114")).toContain(V4);
  });

  it("killed, the kernel goes on answering; the next one adopts that and can give it up", async () => {
    await own();
    await responder.kill();
    await expectAnswers();
    responder = await start();
    const { adopted } = await responder.tell({ do: "adopt" }, line => line.adopted);
    expect(adopted).toEqual({ [V4]: ["eth0"], [V6]: ["eth0"] });
    await responder.tell({ do: "own", owned: { [V6]: "all" } }, line => line.done);
    expect(await arp(V4)).toBeUndefined();
    expect(await ndp(V6)).toBe(NODE_MAC);
  });

  it("leaves settings as they were, also after a crash", async () => {
    const settings = [
      "net.ipv6.conf.eth0.proxy_ndp",
      "net.ipv6.conf.all.proxy_ndp",
      "net.ipv4.neigh.eth0.proxy_delay",
    ];
    const read = (): Promise<string> => lan.run("node", "sysctl", "-n", ...settings);
    await lan.run("node", "sysctl", "-qw", "net.ipv4.neigh.eth0.proxy_delay=40");
    await own();
    expect((await read()).trim().split("\n")).toEqual(["1", "1", "0"]);
    await responder.kill();
    expect(await cleanUp()).toEqual([]);
    expect((await read()).trim().split("\n")).toEqual(["0", "0", "40"]);
    responder = await start();
    await own();
    await responder.tell({ do: "own", owned: {} }, line => line.done);
    expect((await read()).trim().split("\n")).toEqual(["0", "0", "40"]);
  });

  it("leaves the entries of others alone", async () => {
    await lan.run("node", "ip", "neigh", "add", "proxy", "172.30.0.77", "dev", "eth0");
    await own();
    await responder.kill();
    const { adopted } = await (await start()).tell({ do: "adopt" }, line => line.adopted);
    expect(adopted).toEqual({ [V4]: ["eth0"], [V6]: ["eth0"] });
    await cleanUp();
    expect(await leftovers()).toContain("172.30.0.77");
    await lan.run("node", "ip", "neigh", "del", "proxy", "172.30.0.77", "dev", "eth0");
  });

  it("metallb 171: answers only on the interfaces that are named", async () => {
    await responder.tell({ do: "own", owned: { [V4]: ["eth1"] } }, line => line.done);
    expect(await arp(V4)).toBeUndefined();
    await responder.tell({ do: "own", owned: { [V4]: ["eth0"] } }, line => line.done);
    expect((await arp(V4))?.mac).toBe(NODE_MAC);
  });

  it("announces by frames that tcpdump finds right, and the peer's tables follow", async () => {
    const stale = ["lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale"];
    await lan.run("peer", "ip", "neigh", "replace", V4, ...stale);
    await lan.run("peer", "ip", "neigh", "replace", V6, ...stale);
    const capture = startCapture();
    await capture.ready;
    await own();
    await vi.waitFor(async () => {
      const table = await lan.run("peer", "ip", "neigh", "show", "dev", "eth0");
      expect(table).toMatch(new RegExp(`${V4} lladdr ${NODE_MAC}`));
      expect(table).toMatch(new RegExp(`${V6} lladdr ${NODE_MAC}`));
    }, WAIT);
    const text = await vi.waitFor(() => {
      expect(capture.text()).toContain("neighbor advertisement");
      expect(capture.text()).toContain("Reply");
      return capture.text();
    }, WAIT);
    await capture.stop();
    expect(text).toMatch(
      /ARP.*(Announcement 172\.30\.0\.240|who-has 172\.30\.0\.240.* tell 172\.30\.0\.240)/,
    );
    expect(text).toMatch(new RegExp(`Reply ${V4} is-at ${NODE_MAC}`));
    expect(text).toMatch(/> ff02::1: \[icmp6 sum ok\] ICMP6, neighbor advertisement/);
    expect(text).toMatch(/tgt is fd00:30::240, Flags \[override\]/);
    expect(text).toContain("hlim 255");
    expect(text).not.toMatch(/bad|malformed|truncated|\[\|/);
  });

  /** tcpdump of what the node sends, as the peer sees it. */
  function startCapture() {
    const filter = `ether src ${NODE_MAC} and (arp or (icmp6 and ip6[40] == 136 and dst ff02::1))`;
    const argv = ["tcpdump", "-i", "eth0", "-l", "-e", "-n", "-vv", filter];
    const [file, args] = lan.command("peer", ...argv);
    const child = spawn(file, [...args], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    const ready = new Promise<void>(resolve => {
      child.stderr.on("data", (data: Buffer) => {
        if (data.toString().includes("listening on")) resolve();
      });
    });
    return {
      ready,
      text: () => text,
      stop: async () => {
        const exit = once(child, "exit");
        child.kill("SIGTERM");
        await exit;
      },
    };
  }
});
