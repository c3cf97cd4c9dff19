import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { fetchBird, startBird } from "../../hack/interop/bird";
import type { Bird } from "../../hack/interop/bird";
import { waitFor } from "../../hack/wait";
import { createSpeaker, linkBandwidth } from "./index";
import type { Peer, PeerOptions, Speaker } from "./index";

const ourAs = 4_200_000_001;
const birdAs = 65_002;
const v4 = Array.from({ length: 1_000 }, (_, i) => `198.18.${i >> 8}.${i & 255}/32`);
const v6 = Array.from({ length: 1_000 }, (_, i) => `2001:db8::${(i + 1).toString(16)}/128`);

/** The speaker against BIRD, over TCP on loopback; what BIRD says of itself is the evidence. */
describe.each([2, 3] as const)("the speaker and BIRD %i", version => {
  let bird: Bird;
  let speaker: Speaker | undefined;

  beforeAll(async () => {
    await fetchBird(version);
  });

  afterEach(async () => {
    await speaker?.stop();
    speaker = undefined;
    await bird.stop();
  });

  const ask = (command: string): Promise<string> => bird.ask(command);
  const see = (what: string, command: string, text: RegExp): Promise<string> =>
    waitFor(what, async () => {
      const answer = await ask(command);
      return text.test(answer) && answer;
    });
  const established = (): Promise<string> =>
    see("the session", "show protocols all node", /BGP state:\s+Established/);
  const count = async (table: string): Promise<number> => {
    const answer = await ask(`show route table ${table} protocol node count`);
    return Number(/(\d+) of/.exec(answer)?.[1]);
  };
  const arrived = (table: string, n: number): Promise<unknown> =>
    waitFor(`${n} routes in ${table}`, async () => (await count(table)) === n);

  it("bring 1000 IPv4 and 1000 IPv6 prefixes across, and take some back", async () => {
    const peer = await meet();
    peer.announce(v4);
    peer.announce(v6);
    await established();
    await arrived("master4", 1_000);
    await arrived("master6", 1_000);
    const route = await ask("show route 198.18.0.7/32 all");
    expect(route).toMatch(/BGP.origin: IGP/);
    expect(route).toMatch(new RegExp(`BGP.as_path: ${ourAs}`));
    expect(route).toMatch(/BGP.next_hop: 127\.0\.0\.1/);
    expect(route).not.toMatch(/BGP.med|BGP.community/);
    expect(await ask("show route 2001:db8::8/128 all")).toMatch(/BGP.next_hop: 2001:db8:ffff::1/);

    peer.withdraw(v4.slice(0, 600));
    peer.withdraw(v6.slice(0, 999));
    await arrived("master4", 400);
    await arrived("master6", 1);
    expect(await count("master4")).toBe(400);
    expect([...peer.prefixes()]).toHaveLength(401);
    expect(peer.status()).toMatchObject({ state: "Established", session: { peerAs: birdAs } });
  });

  it("bgp 46: agree on communities of all kinds, MED, prepending and a change of them", async () => {
    const peer = await meet();
    peer.announce(["192.0.2.1/32"], {
      communities: ["65535:0", "65001:7"],
      largeCommunities: [`${ourAs}:1:2`],
      extendedCommunities: [linkBandwidth(65_001, 125_000_000)],
      med: 70,
      prepend: 2,
    });
    const command = "show route 192.0.2.1/32 all";
    const route = await see("the route", command, /BGP.community/);
    expect(route).toMatch(/BGP.community: \(65001,7\) \(65535,0\)/);
    expect(route).toMatch(/BGP.large_community: \(4200000001, 1, 2\)/);
    expect(route).toMatch(/BGP.ext_community: \(unknown 0x4, 65001, 1290693416\)/);
    expect(route).toMatch(/BGP.med: 70/);
    expect(route).toMatch(new RegExp(`BGP.as_path: ${ourAs} ${ourAs} ${ourAs}`));
    peer.announce(["192.0.2.1/32"], { communities: ["65001:8"] });
    expect(await see("the change", command, /65001,8/)).not.toMatch(/BGP.med|large_community/);
  });

  it("within one AS give LOCAL_PREF and an empty path", async () => {
    const peer = await meet({ as: "internal", localAs: birdAs });
    peer.announce(["192.0.2.1/32"], { localPref: 150, prepend: 3 });
    const route = await see("the route", "show route 192.0.2.1/32 all", /BGP.local_pref/);
    expect(route).toMatch(/BGP.local_pref: 150/);
    expect(route).toMatch(/BGP.as_path: *\n/);
  });

  it("bgp 4: keep the shorter hold time with keepalives", async () => {
    await meet({ holdTime: 3 });
    expect(await established()).toMatch(/Hold timer:\s+[\d.]+\/3/);
    const since = (text: string): string | undefined => /up\s+([\d:.]+)/.exec(text)?.[1];
    const first = since(await ask("show protocols node"));
    // BIRD's clock goes past the hold time: without our keepalives it would have ended the session.
    const received = async (): Promise<number> =>
      ((await bird.log()).match(/Got KEEPALIVE/g) ?? []).length;
    await waitFor("eight keepalives", async () => (await received()) >= 8);
    expect(since(await ask("show protocols node"))).toBe(first);
  });

  it("answer a route refresh with everything, and with marks", async () => {
    const peer = await meet();
    peer.announce(v4.slice(0, 10));
    await arrived("master4", 10);
    await ask(version === 2 ? "reload in node" : "reload bgp in node");
    const log = await waitFor("the end of the refresh", async () => {
      const text = await bird.log();
      return /Got END-OF-RR/i.test(text) && text;
    });
    expect(log).toMatch(/Got BEGIN-OF-RR/i);
    await see("ten more updates", "show protocols all node", /Import updates:\s+20\s/);
    expect(await count("master4")).toBe(10);
  });

  it("end in words, whoever ends it", async () => {
    const peer = await meet();
    await established();
    await ask('disable node "back at noon"');
    await waitFor("the reason", () =>
      Promise.resolve(/back at noon/.test(peer.status().lastError ?? "")),
    );
    await ask("enable node");
    await established();
    await peer.stop("maintenance until nöön");
    await waitFor("BIRD to say so", async () =>
      /Received: Administrative shutdown.*maintenance until nöön/i.test(await bird.log()),
    );
    await see("it to be down", "show protocols all node", /BGP state:\s+(Active|Idle|Passive)/);
  });

  it("come together again, with all routes, when the router has restarted", async () => {
    const changes: string[] = [];
    const port = await freePort();
    const peer = await meet({ onChange: change => changes.push(change.type) }, port);
    peer.announce(v4);
    await arrived("master4", 1_000);
    await bird.stop();
    await waitFor("the end", () => Promise.resolve(changes.includes("down")));
    peer.withdraw(v4.slice(0, 300));
    bird = await startRouter(port, "passive on;");
    await arrived("master4", 700);
    expect(changes.filter(type => type === "up")).toHaveLength(2);
  });

  it("meet when the router dials, and when both do at once", async () => {
    const [ours, theirs] = [await freePort("127.0.0.1"), await freePort()];
    const dials = `neighbor 127.0.0.1 port ${ours} as ${ourAs};`;
    for (const isPassive of [true, false]) {
      bird = await startRouter(theirs, "passive off;", dials);
      speaker = createSpeaker({
        as: ourAs,
        routerId: "127.0.0.1",
        listen: { address: "127.0.0.1", port: ours },
      });
      await speaker.listening();
      const peer = speaker.addPeer(options(theirs, { isPassive }));
      peer.announce(v4);
      await arrived("master4", 1_000);
      expect(peer.status().state).toBe("Established");
      if (isPassive) {
        await speaker.stop();
        await bird.stop();
      }
    }
  });

  function options(port: number, changes: Partial<PeerOptions>): PeerOptions {
    return {
      address: "127.0.0.2",
      port,
      as: birdAs,
      localAddress: "127.0.0.1",
      nextHops: { ipv6: "2001:db8:ffff::1" },
      ...changes,
    };
  }

  /** Starts both; we dial. */
  async function meet(changes: Partial<PeerOptions> = {}, known?: number): Promise<Peer> {
    const port = known ?? (await freePort());
    const as = changes.localAs ?? ourAs;
    bird = await startRouter(port, "passive on;", `neighbor 127.0.0.1 as ${as};`);
    speaker = createSpeaker({ as: ourAs, routerId: "127.0.0.1" });
    return speaker.addPeer(options(port, changes));
  }

  function startRouter(
    port: number,
    more: string,
    neighbor = `neighbor 127.0.0.1 as ${ourAs};`,
  ): Promise<Bird> {
    const configuration = `
      router id 127.0.0.2;
      protocol device { }
      protocol bgp node {
        debug all;
        local 127.0.0.2 port ${port} as ${birdAs};
        ${neighbor}
        multihop; strict bind on; ${more}
        connect delay time 1; connect retry time 1; error wait time 1, 2;
        ipv4 { import all; export none; };
        ipv6 { import all; export none; };
      }`;
    return startBird(configuration, undefined, version);
  }
});

async function freePort(host = "127.0.0.2"): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
