import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEVICE } from "./kernel-state";
import type { KernelOp, KernelState, Link } from "./kernel-state";
import type { Kernel } from "./netlink";
import type { PacketBinding, PacketResponder } from "./packet-mode/packet-responder";
import { cleanUp, createResponder } from "./responder";
import type { Outcome, Owned, Responder } from "./responder";

const flags = { up: true, carrier: true, broadcast: true, noArp: false, loopback: false };
const ETH0: Link = { index: 2, name: "eth0", mac: "02:00:00:00:00:11", ...flags };
const IP = "172.30.0.240";
const OWNED: Owned = new Map([[IP, "all"]]);

/** A kernel of plain data; `refuse` makes an operation fail. */
class FakeKernel implements Kernel {
  state: KernelState = { links: [ETH0], proxies: [], routes: [], locals: [] };
  refuse: KernelOp["op"] | undefined;
  dumps = 0;
  notify: () => void = () => undefined;
  readonly sent: KernelOp["op"][] = [];
  underWay = 0;
  mostUnderWay = 0;

  dump(): Promise<KernelState> {
    this.dumps += 1;
    return Promise.resolve(this.state);
  }

  async apply(op: KernelOp): Promise<void> {
    this.sent.push(op.op);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const made = this.#make(op);
    await Promise.resolve();
    this.underWay -= 1;
    await made;
  }

  #make(op: KernelOp): Promise<void> {
    if (op.op === this.refuse) return Promise.reject(new Error("Request rejected: EPERM"));
    const { links, proxies, routes } = this.state;
    if (op.op === "add-device") {
      this.state = {
        ...this.state,
        links: [...links, { ...ETH0, index: 9, name: DEVICE, noArp: true }],
      };
    } else if (op.op === "note") {
      const noted = links.map(link => (link.name === DEVICE ? { ...link, alias: op.text } : link));
      this.state = { ...this.state, links: noted };
    } else if (op.op === "add-route") {
      this.state = { ...this.state, routes: [...routes, op.address] };
    } else if (op.op === "add-proxy") {
      const { address, interfaceIndex } = op;
      this.state = { ...this.state, proxies: [...proxies, { address, interfaceIndex }] };
    } else if (op.op === "remove-device") {
      this.state = {
        ...this.state,
        links: links.filter(({ name }) => name !== DEVICE),
        proxies,
        routes: [],
      };
    } else if (op.op === "remove-proxy") {
      this.state = { ...this.state, proxies: proxies.filter(p => p.address !== op.address) };
    }
    return Promise.resolve();
  }

  linkIndex(name: string): Promise<number | undefined> {
    return Promise.resolve(this.state.links.find(link => link.name === name)?.index);
  }

  onChange(callback: () => void): void {
    this.notify = callback;
  }

  close(): void {
    this.notify = () => undefined;
  }
}

/** Packets of plain data. */
class FakePackets implements PacketResponder {
  bindings: readonly PacketBinding[] = [];
  isWarm = false;
  problem: string | undefined;

  answer(bindings: readonly PacketBinding[]): Promise<string | undefined> {
    this.bindings = bindings;
    return Promise.resolve(this.problem);
  }

  warm(): void {
    this.isWarm = true;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

let root = "";
let packets = new FakePackets();
let kernel = new FakeKernel();
let outcomes: Outcome[] = [];
let timers: { ms: number; callback: () => void }[] = [];
let responder: Responder;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ancho-responder-"));
  kernel = new FakeKernel();
  outcomes = [];
  timers = [];
  packets = new FakePackets();
  for (const path of ["ipv4/conf/eth0/forwarding", "ipv4/neigh/eth0/proxy_delay"]) {
    await setSysctl(path, "0");
  }
  responder = createResponder({
    kernel,
    packets,
    sysctlRoot: root,
    excludes: [],
    onOutcome: outcome => outcomes.push(outcome),
    after: (ms, callback) => {
      timers.push({ ms, callback });
      return () => undefined;
    },
  });
});

async function setSysctl(path: string, value: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), value);
}

/** Somebody changes it, and the kernel says so. */
async function changed(state: Partial<KernelState>): Promise<void> {
  kernel.state = { ...kernel.state, ...state };
  const runs = outcomes.length;
  kernel.notify();
  await vi.waitFor(() => {
    expect(outcomes.length).toBe(runs + 1);
  });
}

afterEach(async () => {
  await responder.stop();
  await rm(root, { recursive: true });
});

describe("createResponder", () => {
  it("answers for what is owned and says what is new", async () => {
    await responder.own(OWNED);
    expect(kernel.state).toMatchObject({
      proxies: [{ address: IP, interfaceIndex: 2 }],
      routes: [IP],
    });
    expect(outcomes.at(-1)?.fresh).toEqual([{ address: IP, link: ETH0, mode: "proxy" }]);
    await responder.own(OWNED);
    expect(outcomes.at(-1)).toMatchObject({ fresh: [], answering: [{ address: IP }] });
  });

  it("sends many changes without waiting for each, no more than fit, and every route before its entry", async () => {
    await responder.own(new Map(Array.from({ length: 100 }, (_, i) => [`172.30.1.${i}`, "all"])));
    expect(kernel.state.proxies).toHaveLength(100);
    expect(kernel.mostUnderWay).toBe(64);
    const adds = kernel.sent.filter(op => op.startsWith("add-"));
    const hundred = (op: string): readonly string[] => Array.from({ length: 100 }, () => op);
    expect(adds).toEqual(["add-device", ...hundred("add-route"), ...hundred("add-proxy")]);
    expect(outcomes.at(-1)?.fresh).toHaveLength(100);
  });

  it("puts back what the kernel lost with the link, and says so", async () => {
    await responder.own(OWNED);
    kernel.state = { ...kernel.state, proxies: [] };
    kernel.notify();
    await vi.waitFor(() => {
      expect(kernel.state.proxies).toHaveLength(1);
    });
    expect(outcomes.at(-1)?.fresh).toHaveLength(1);
  });

  it.each([
    ["another MAC address", { mac: "02:00:00:00:00:77" }, true],
    ["another IPv4 address", { ipv4: "172.30.0.12" }, false],
    ["no carrier", { carrier: false }, false],
  ])("a link with %s is news to neighbors or not", async (_, change, isNews) => {
    await responder.own(OWNED);
    await responder.own(OWNED);
    await changed({ links: [{ ...ETH0, ...change }] });
    expect(outcomes.at(-1)?.fresh).toHaveLength(isNews ? 1 : 0);
    await responder.own(OWNED);
    expect(outcomes.at(-1)?.fresh).toEqual([]);
  });

  it("a carrier that is back is news to neighbors", async () => {
    kernel.state = { ...kernel.state, links: [{ ...ETH0, carrier: false }] };
    await responder.own(OWNED);
    await responder.own(OWNED);
    expect(outcomes.at(-1)?.fresh).toEqual([]);
    await changed({ links: [ETH0] });
    expect(outcomes.at(-1)?.fresh).toEqual([{ address: IP, link: ETH0, mode: "proxy" }]);
  });

  it("keeps what an earlier run left until it is told otherwise", async () => {
    kernel.state = { ...kernel.state, proxies: [{ address: IP, interfaceIndex: 2 }] };
    expect(await responder.adopt()).toEqual(new Map([[IP, ["eth0"]]]));
    kernel.notify();
    await vi.waitFor(() => {
      expect(outcomes).not.toEqual([]);
    });
    expect(kernel.state.proxies).toHaveLength(1);
    await responder.own(new Map());
    expect(kernel.state.proxies).toEqual([]);
  });

  it("goes by what it knows of the kernel, and looks soon after whether that was right", async () => {
    await responder.own(OWNED);
    timers.at(-1)!.callback();
    await vi.waitFor(() => {
      expect(timers.at(-1)!.ms).toBe(10_000);
    });
    const { dumps } = kernel;
    // Somebody takes away what is ours, of which the kernel tells nobody.
    kernel.state = { ...kernel.state, proxies: [] };
    const other = "10.20.30.99";
    await responder.own(new Map([...OWNED, [other, "all"]]));
    expect(kernel.dumps).toBe(dumps);
    expect(outcomes.at(-1)!.fresh.map(({ address }) => address)).toEqual([other]);
    expect(kernel.state.proxies.map(({ address }) => address)).toEqual([other]);
    const look = timers.at(-1)!;
    expect(look.ms).toBe(500);
    look.callback();
    await vi.waitFor(() => {
      expect(kernel.state.proxies).toHaveLength(2);
    });
    expect(outcomes.at(-1)!.fresh.map(({ address }) => address)).toEqual([IP]);
  });

  it("many notifications during a run are one more run", async () => {
    const done = responder.own(OWNED);
    for (let i = 0; i < 50; i++) kernel.notify();
    await done;
    expect(kernel.dumps).toBe(2);
  });

  it("reports an address without an interface, which is no problem of the kernel's", async () => {
    await responder.own(new Map([[IP, ["eth9"]]]));
    expect(outcomes.at(-1)).toMatchObject({ withoutInterface: [IP], answering: [] });
    expect(kernel.state.proxies).toEqual([]);
  });

  it("a refused change is a sentence with the remedy, does not hold back others, and is tried again soon", async () => {
    kernel.refuse = "add-proxy";
    await responder.own(OWNED);
    expect(outcomes.at(-1)?.problems.join("\n")).toContain("add the capability NET_ADMIN");
    expect(outcomes.at(-1)?.answering).toMatchObject([{ address: IP, mode: "packet" }]);
    expect(kernel.state.routes).toEqual([IP]);
    kernel.refuse = undefined;
    const retry = timers.at(-1)!;
    expect(retry.ms).toBeLessThan(1000);
    retry.callback();
    await vi.waitFor(() => {
      expect(kernel.state.proxies).toHaveLength(1);
    });
  });

  it("survives a kernel that does not answer, and goes by what it knew", async () => {
    await responder.own(OWNED);
    vi.spyOn(kernel, "dump").mockRejectedValueOnce(new Error("Timeout has been reached"));
    await responder.own(OWNED);
    expect(outcomes.at(-1)?.problems[0]).toContain("could not be read");
    expect(outcomes.at(-1)?.answering).toHaveLength(1);
  });

  it("puts back the delay of proxies when nothing is owned any more, and leaves forwarding", async () => {
    const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");
    await setSysctl("ipv4/neigh/eth0/proxy_delay", "80");
    await responder.own(OWNED);
    expect(await read("ipv4/neigh/eth0/proxy_delay")).toBe("0");
    await setSysctl("ipv4/neigh/eth0/proxy_delay", "7");
    await responder.own(OWNED);
    await responder.own(new Map());
    expect(await read("ipv4/neigh/eth0/proxy_delay")).toBe("80");
    expect(await read("ipv4/conf/eth0/forwarding")).toBe("1");
  });

  it("cleanUp removes all that is ours", async () => {
    await responder.own(OWNED);
    expect(await cleanUp(kernel, root)).toEqual([]);
    expect(kernel.state).toEqual({ links: [ETH0], proxies: [], routes: [], locals: [] });
  });
});

describe("where the kernel does not answer", () => {
  const local = [{ address: IP, interfaceIndex: 9 }];
  const strict = async (): Promise<void> => {
    await setSysctl("ipv4/conf/all/arp_ignore", "1");
    await setSysctl("ipv4/conf/all/arp_announce", "2");
  };

  it("packets do, and the kernel's entry is kept for who comes after", async () => {
    await strict();
    kernel.state = { ...kernel.state, locals: local };
    await responder.own(OWNED);
    expect(packets.bindings).toEqual([
      { address: IP, interfaceIndex: 2, mac: ETH0.mac, isLocal: true },
    ]);
    expect(outcomes.at(-1)).toMatchObject({
      answering: [{ address: IP, mode: "packet" }],
      fresh: [{ address: IP }],
      unguarded: [],
      problems: [],
    });
    expect(kernel.state.proxies).toHaveLength(1);
    kernel.state = { ...kernel.state, locals: [] };
    await responder.own(OWNED);
    expect(packets.bindings).toEqual([]);
    expect(outcomes.at(-1)?.answering).toMatchObject([{ mode: "proxy" }]);
  });

  it("for want of a setting, packets do until it can be made", async () => {
    await rm(join(root, "ipv4/conf/eth0/forwarding"));
    await responder.own(OWNED);
    expect(packets.bindings).toMatchObject([{ address: IP, isLocal: false }]);
    expect(outcomes.at(-1)?.problems.join()).toContain("forwarding");
    await setSysctl("ipv4/conf/eth0/forwarding", "0");
    await responder.own(OWNED);
    expect(packets.bindings).toEqual([]);
  });

  it("nobody does when packets cannot either", async () => {
    await strict();
    kernel.state = { ...kernel.state, locals: local };
    packets.problem = "answering by packets: no right";
    await responder.own(OWNED);
    expect(outcomes.at(-1)).toMatchObject({ answering: [], problems: [packets.problem] });
  });

  it("without strictARP it answers for addresses of others: said, and packets stay at rest", async () => {
    kernel.state = { ...kernel.state, locals: local };
    await responder.own(new Map());
    responder.know(new Set([IP, "172.30.0.241"]));
    await vi.waitFor(() => {
      expect(outcomes.at(-1)?.unguarded).toEqual([{ address: IP, interfaceName: "eth0" }]);
    });
    expect(packets.isWarm).toBe(false);
    await strict();
    await responder.own(new Map());
    expect(outcomes.at(-1)?.unguarded).toEqual([]);
    expect(packets.isWarm).toBe(true);
  });
});
