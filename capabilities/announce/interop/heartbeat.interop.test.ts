import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { HeartbeatCounts, Member } from "../membership/membership";
import type { Command } from "./heartbeat-process";
import { createLan } from "./netns";
import type { Lan } from "./netns";

const TSX = fileURLToPath(new URL("../../../node_modules/tsx/dist/loader.mjs", import.meta.url));
const PROCESS = fileURLToPath(new URL("heartbeat-process.ts", import.meta.url));
const WAIT = { timeout: 90_000, interval: 50 };
/** Long, so that a busy machine does not make a process late. */
const INTERVAL = 150;
const CLAIMS = Array.from({ length: 1000 }, (_, i) => ({
  address: `fd00:30::${(i + 1).toString(16)}`,
  epoch: 1,
}));

type Name = "node" | "peer";
const OTHER = { node: "peer", peer: "node" } as const;
const AT = {
  node: { v4: "172.30.0.11", v6: "fd00:30::11" },
  peer: { v4: "172.30.0.200", v6: "fd00:30::200" },
};

type Line = {
  readonly ready?: boolean;
  readonly members?: readonly Member[];
  readonly counts?: HeartbeatCounts;
};

/** A heartbeat on one of the hosts, and all that it said. */
class Beating {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];

  constructor(lan: Lan, name: Name) {
    const argv = [process.execPath, "--import", TSX, PROCESS, name, String(INTERVAL)];
    const [file, args] = lan.command(name, ...argv);
    this.child = spawn(file, [...args], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.child.stdout! }).on("line", line => {
      this.lines.push(JSON.parse(line) as Line);
    });
  }

  tell(command: Command): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** The other one as it is seen now. */
  other(): Member | undefined {
    return this.lines.findLast(({ members }) => members)?.members?.[0];
  }

  /** How often the other one was seen to fall silent. */
  silences(): number {
    return this.lines.filter(({ members }) => members?.[0]?.health === "silent").length;
  }

  async counts(): Promise<HeartbeatCounts> {
    const before = this.lines.length;
    this.tell({ do: "count" });
    return vi.waitFor(() => {
      const found = this.lines.slice(before).find(({ counts }) => counts)?.counts;
      if (!found) throw new Error("no counts yet");
      return found;
    }, WAIT);
  }

  async stop(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}

describe("heartbeats between two kernels", { timeout: 300_000 }, () => {
  let lan: Lan;
  const started: Beating[] = [];

  beforeAll(async () => {
    lan = await createLan();
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    await lan.run("peer", "nft", "flush", "ruleset");
  });
  afterAll(async () => {
    await lan.remove();
  });

  async function start(name: Name, family: "v4" | "v6" = "v4"): Promise<Beating> {
    const one = new Beating(lan, name);
    started.push(one);
    await vi.waitFor(() => {
      expect(one.lines[0]).toEqual({ ready: true });
    }, WAIT);
    const links = JSON.parse(await lan.run(name, "ip", "-j", "addr", "show", "eth0")) as Addr[];
    const local = links[0]!.addr_info.find(({ scope }) => scope === "link")!.local;
    const ipv4 = family === "v4" ? { ipv4: AT[name].v4 } : {};
    one.tell({ do: "links", links: [{ index: 2, name: "eth0", linkLocal: local, ...ipv4 }] });
    one.tell({ do: "keys", keys: [1] });
    one.tell({
      do: "peers",
      peers: [{ node: OTHER[name], addresses: [AT[OTHER[name]][family]] }],
    });
    one.tell({ do: "phase", phase: "active" });
    return one;
  }
  type Addr = { readonly addr_info: readonly { readonly scope: string; readonly local: string }[] };

  async function startBoth(family: "v4" | "v6" = "v4"): Promise<readonly [Beating, Beating]> {
    const both = [await start("node", family), await start("peer", family)] as const;
    await vi.waitFor(() => {
      for (const one of both)
        expect(one.other()).toMatchObject({ phase: "active", health: "heard" });
    }, WAIT);
    return both;
  }

  /** Counts what comes in on the peer, by where it was sent to; the named kinds are thrown away. */
  async function filter(...dropped: readonly ("group" | "single")[]): Promise<void> {
    await lan.run("peer", "nft", "flush", "ruleset");
    const verdict = (kind: "group" | "single"): string => (dropped.includes(kind) ? " drop" : "");
    const udp = "udp dport 7946";
    await lan.run(
      "peer",
      "nft",
      `table inet t {
        counter group {}
        counter single {}
        chain in {
          type filter hook input priority 0;
          ${udp} ip daddr 224.0.0.254 counter name group${verdict("group")}
          ${udp} ip6 daddr ff02::114 counter name group${verdict("group")}
          ${udp} ip daddr ${AT.peer.v4} counter name single${verdict("single")}
          ${udp} ip6 daddr ${AT.peer.v6} counter name single${verdict("single")}
        }
      }`,
    );
  }

  /** Loses every fifth heartbeat that comes in on the peer, by chance. */
  async function lose(): Promise<void> {
    const rule = "udp dport 7946 numgen random mod 5 == 0 drop";
    const chain = `chain in { type filter hook input priority 0; ${rule}; }`;
    await lan.run("peer", "nft", `table inet t {\n${chain}\n}`);
  }

  async function counted(kind: "group" | "single"): Promise<number> {
    const text = await lan.run("peer", "nft", "-j", "list", "counter", "inet", "t", kind);
    return Number(/"packets": (\d+)/.exec(text)?.[1]);
  }

  async function grows(kind: "group" | "single", by: number): Promise<void> {
    const before = await counted(kind);
    await vi.waitFor(async () => {
      expect((await counted(kind)) - before).toBeGreaterThan(by);
    }, WAIT);
  }

  /** True if few go by unicast while so many go by the group: only who was late is asked for a word. */
  async function isMulticast(): Promise<boolean> {
    const before = await counted("single");
    await grows("group", 20);
    return (await counted("single")) - before < 7;
  }

  it.each(["v4", "v6"] as const)("go by the group alone where it is heard (%s)", async family => {
    await startBoth(family);
    await filter();
    await vi.waitFor(async () => {
      expect(await isMulticast()).toBe(true);
    }, WAIT);
  });

  it("fall back to unicast when the group is filtered, without a moment of silence, and come back", async () => {
    const [, peer] = await startBoth();
    await filter("group");
    await grows("single", 20);
    await filter();
    await vi.waitFor(async () => {
      expect(await isMulticast()).toBe(true);
    }, WAIT);
    expect(peer.silences()).toBe(0);
  });

  it("find each other where the group was never heard", async () => {
    await filter("group");
    await startBoth();
    await grows("single", 20);
  });

  it("are missed when all are filtered, and counted again afterwards", async () => {
    const [, peer] = await startBoth();
    await filter("group", "single");
    await vi.waitFor(() => {
      expect(peer.other()?.health).toBe("silent");
    }, WAIT);
    await filter();
    await vi.waitFor(() => {
      expect(peer.other()?.health).toBe("heard");
    }, WAIT);
  });

  it("carry 1,000 IPv6 addresses, also where every fifth packet is lost", async () => {
    const [node, peer] = await startBoth();
    await lose();
    node.tell({ do: "claims", claims: CLAIMS });
    await vi.waitFor(() => {
      expect(peer.other()?.claims).toHaveLength(1000);
    }, WAIT);
    expect(peer.other()?.claims).toEqual(CLAIMS);
  });

  it("go on while the key is changed, node by node", async () => {
    const [node, peer] = await startBoth();
    // What the first one says may come before the second one has the key, and knows of the first.
    const { unauthentic, malformed, stranger } = await peer.counts();
    // As keyringAt says: accept both and sign with the old one, then with the new one, then forget the old.
    for (const keys of [[1, 2], [2, 1], [2]]) {
      for (const one of [node, peer]) one.tell({ do: "keys", keys });
      // Not before both have taken them, and what was signed with the last ones is read, come the next.
      for (const one of [node, peer]) {
        const { accepted } = await one.counts();
        await vi.waitFor(async () => {
          expect((await one.counts()).accepted - accepted).toBeGreaterThan(20);
        }, WAIT);
      }
    }
    expect([node.silences(), peer.silences()]).toEqual([0, 0]);
    expect(await peer.counts()).toMatchObject({ unauthentic, malformed, stranger });
  });

  it("a process that stands still is seen; when it goes on, it condemns nobody and is heard again", async () => {
    const [node, peer] = await startBoth();
    node.child.kill("SIGSTOP");
    await vi.waitFor(() => {
      expect(peer.other()?.health).toBe("silent");
    }, WAIT);
    peer.tell({ do: "claims", claims: [{ address: "10.0.0.1", epoch: 2 }] });
    node.child.kill("SIGCONT");
    await vi.waitFor(() => {
      expect(peer.other()?.health).toBe("heard");
      expect(node.other()?.claims).toEqual([{ address: "10.0.0.1", epoch: 2 }]);
    }, WAIT);
    expect(node.silences()).toBe(0);
  });
});
