import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLan } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { openFlows, startEcho } from "../../../hack/probe/flows";
import type { Flows } from "../../../hack/probe/flows";
import { waitFor } from "../../../hack/wait";
import { NO_FORWARDING } from "../handover/forwarding";
import type { Forwarding } from "../handover/forwarding";
import { openFilter, removeForwarding } from "../handover/nft";
import { FAMILIES } from "../handover/ruleset";

const NODES = ["n1", "n2", "n3"] as const;
type Node = (typeof NODES)[number];
type Host = Node | "client" | "pod";
const MAC = { n1: "02:00:00:00:00:11", n2: "02:00:00:00:00:12", n3: "02:00:00:00:00:13" } as const;
const PORT = 8080;

/** The same twice: addresses of one family. */
const IPV4 = {
  ...{ ip: "ip", dnat: "ip", unit: "32", vip: "172.30.0.240", pod: "172.30.0.150" },
  at: { n1: "172.30.0.11", n2: "172.30.0.12", n3: "172.30.0.13" },
};
const IPV6 = {
  ...{ ip: "ip -6", dnat: "ip6", unit: "128", vip: "fd00:30::240", pod: "fd00:30::150" },
  at: { n1: "fd00:30::11", n2: "fd00:30::12", n3: "fd00:30::13" },
};
type Family = typeof IPV4;

const node = (last: string, mac: string) => ({
  mac,
  addresses: [`172.30.0.${last}/24`, `fd00:30::${last}/64`],
  sysctls: [
    ...["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"],
    ...["net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0"],
    ...["net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.default.rp_filter=1"],
  ],
});

/**
 * Three nodes that deliver what is for a Service's address to a pod, as kube-proxy has them do it, and a client whose
 * neighbor entry says whose turn it is.
 */
describe("connections that are handed over", () => {
  let lan: Lan<Host>;
  const ends: (() => void)[] = [];

  beforeAll(async () => {
    lan = await createLan<Host>("handover", {
      n1: node("11", MAC.n1),
      n2: node("12", MAC.n2),
      n3: node("13", MAC.n3),
      client: { addresses: ["172.30.0.200/24", "fd00:30::200/64"] },
      pod: { addresses: ["172.30.0.150/24", "fd00:30::150/64"] },
    });
    for (const family of [IPV4, IPV6]) {
      for (const name of NODES) await serve(name, family);
      ends.push(await startEcho(lan.namespace("pod"), { address: family.pod, port: PORT }));
    }
  });

  afterAll(async () => {
    ends.forEach(end => {
      end();
    });
    await lan.remove();
  });

  beforeEach(async () => {
    for (const name of NODES) await filter(name).apply(NO_FORWARDING, FAMILIES);
  });

  const filter = (name: Node) => openFilter(lan.command(name, "nft").flat());
  const run = (host: Host, command: string): Promise<string> =>
    lan.run(host, ...command.split(" "));

  /** DNAT to the pod and masquerading, as kube-proxy's rules for a Service are; the rest goes nowhere. */
  async function serve(name: Node, { dnat, vip, pod }: Family): Promise<void> {
    const to = dnat === "ip6" ? `[${pod}]` : pod;
    for (const command of [
      `add table ${dnat} proxy`,
      `add chain ${dnat} proxy services { type nat hook prerouting priority -100 ; }`,
      `add chain ${dnat} proxy sources { type nat hook postrouting priority 100 ; }`,
      `add rule ${dnat} proxy services ${dnat} daddr ${vip} tcp dport ${PORT} dnat to ${to}:${PORT}`,
      `add rule ${dnat} proxy sources ct status dnat masquerade`,
      `add table ${dnat} count`,
      `add chain ${dnat} count arrived { type filter hook prerouting priority -300 ; }`,
      `add rule ${dnat} count arrived ${dnat} daddr ${vip} counter`,
    ])
      await run(name, `nft ${command}`);
  }

  /** From now on the client sends to this node, as it does after its announcement. */
  async function turnTo(name: Node, { ip, vip }: Family): Promise<void> {
    await run("client", `${ip} neigh replace ${vip} lladdr ${MAC[name]} dev eth0 nud permanent`);
  }

  /** What nodes do with what they do not track: send it to another one, by the way of the family. */
  async function handOver(
    family: Family,
    former: Readonly<Partial<Record<Node, Node | "nobody">>>,
  ): Promise<void> {
    for (const [name, to] of Object.entries(former) as [Node, Node | "nobody"][]) {
      const previous = new Map(to === "nobody" ? [] : [[family.vip, family.at[to]]]);
      const forwarding: Forwarding = { held: new Map([[family.vip, "1"]]), previous };
      await filter(name).apply(forwarding, FAMILIES);
    }
  }

  async function open(family: Family): Promise<Flows> {
    const to = { address: family.vip, port: PORT };
    const flows = await openFlows(lan.namespace("client"), to, 5);
    ends.push(() => {
      flows.close();
    });
    return flows;
  }

  const forBoth = it.each([
    ["IPv4", IPV4],
    ["IPv6", IPV6],
  ] as const);

  forBoth("without it, running connections break: %s", async (_, family) => {
    await turnTo("n1", family);
    const flows = await open(family);
    await turnTo("n2", family);
    expect(await flows.alive()).toBe(0);
  });

  forBoth("go on through one move, and back: %s", async (_, family) => {
    await turnTo("n1", family);
    const first = await open(family);
    await handOver(family, { n2: "n1" });
    await turnTo("n2", family);
    expect(await first.alive()).toBe(5);
    const second = await open(family);
    await handOver(family, { n1: "n2" });
    await turnTo("n1", family);
    // Acknowledgements that were still on their way to n2 are sent on as before; only then it lets go (`settling.ts`).
    expect(await first.alive()).toBe(5);
    await handOver(family, { n2: "nobody" });
    expect(await first.alive()).toBe(5);
    expect(await second.alive()).toBe(5);
  });

  forBoth("go on when every node has its turn: %s", async (_, family) => {
    const all: Flows[] = [];
    for (const [i, name] of NODES.entries()) {
      const before = NODES[i - 1];
      if (before) await handOver(family, { [name]: before });
      await turnTo(name, family);
      all.push(await open(family));
    }
    expect(await Promise.all(all.map(flows => flows.alive()))).toEqual([5, 5, 5]);
  });

  forBoth("new connections are the new owner's own: %s", async (_, family) => {
    await handOver(family, { n2: "n1" });
    await turnTo("n2", family);
    const before = await arrivedAtRest("n1", family);
    const flows = await open(family);
    expect(await flows.alive()).toBe(5);
    expect(await arrived("n1", family)).toBe(before);
  });

  forBoth("what nobody tracks is reset by the last node of the chain: %s", async (_, family) => {
    await turnTo("n1", family);
    const flows = await open(family);
    await handOver(family, { n2: "n3", n3: "nobody" });
    await turnTo("n2", family);
    const begin = performance.now();
    expect(await flows.alive()).toBe(0);
    // A reset, not a connection that nobody answers.
    expect(performance.now() - begin).toBeLessThan(4000);
  });

  forBoth("what no Service wants does not go round: %s", async (_, family) => {
    await turnTo("n1", family);
    const flows = await open(family);
    await handOver(family, { n1: "nobody", n2: "n1" });
    for (const name of NODES) {
      await run(name, `nft flush chain ${family.dnat} proxy services`);
      // The owner's entry is the client's; n1 would send what is not delivered there.
      await run(name, `${family.ip} neigh replace ${family.vip} lladdr ${MAC.n2} dev eth0`);
    }
    await run("n1", "conntrack -F");
    await turnTo("n2", family);
    const before = await arrived("n2", family);
    const alive = flows.alive();
    await expect.poll(() => arrived("n2", family)).toBeGreaterThanOrEqual(before + 5);
    expect(await alive).toBe(0);
    // Five connections, and what they repeat in some seconds; each packet that goes round would be some thirty.
    expect((await arrived("n2", family)) - before).toBeLessThan(100);
    for (const name of NODES) {
      await run(name, `nft delete table ${family.dnat} proxy`);
      await run(name, `nft delete table ${family.dnat} count`);
      await serve(name, family);
      await run(name, `${family.ip} neigh del ${family.vip} dev eth0`);
    }
  });

  it("the kernel keeps the notes, and gives up what it is told to", async () => {
    const { families, problems } = await filter("n1").probe();
    expect([families, problems]).toEqual([FAMILIES, []]);
    expect(await filter("n1").held(FAMILIES)).toEqual([]);
    const held = new Map([
      [IPV4.vip, "7 n2 n3"],
      [IPV6.vip, "8 n3"],
    ]);
    const previous = new Map([[IPV4.vip, IPV4.at.n2]]);
    await filter("n1").apply({ held, previous }, FAMILIES);
    expect(await filter("n1").held(FAMILIES)).toEqual([...held]);
    expect(await removeForwarding(filter("n1"))).toEqual([]);
    expect(await run("n1", "nft list tables")).not.toContain("ancho");
  });

  it("a thousand addresses at once are one transaction", async () => {
    const addresses = Array.from({ length: 1000 }, (_, i) => `10.9.${i >> 8}.${i & 255}`);
    const held = new Map(addresses.map(address => [address, "3 n2"]));
    const previous = new Map(addresses.map(address => [address, IPV4.at.n2]));
    await filter("n1").apply({ held, previous }, FAMILIES);
    expect(await filter("n1").held(FAMILIES)).toHaveLength(1000);
  });

  it("says what is missing", async () => {
    const { families, problems } = await openFilter(["ancho-has-no-nft"]).probe();
    expect(families).toEqual([]);
    expect(problems[0]).toBe("ipv4: the program ancho-has-no-nft is not there: install nftables");
    // Without rights, as in a container without NET_ADMIN.
    const bare = lan
      .command("n1", "setpriv", "--bounding-set=-all", "--inh-caps=-all", "nft")
      .flat();
    const refused = await openFilter(bare).probe();
    expect(refused.problems.join()).toContain("not permitted");
  });

  /** The same when no more come: connections of the test before have late acknowledgements. */
  async function arrivedAtRest(name: Node, family: Family): Promise<number> {
    const seen = [await arrived(name, family)];
    await waitFor("the last packets", async () => {
      seen.unshift(await arrived(name, family));
      return seen[0] === seen[5];
    });
    return seen[0] ?? 0;
  }

  /** Packets for the address that have come to the node since it serves. */
  async function arrived(name: Node, { dnat }: Family): Promise<number> {
    const text = await run(name, `nft list chain ${dnat} count arrived`);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  }
});
