import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSpeaker } from "../../bgp/index";
import type { Peer, Speaker } from "../../bgp/index";
import type { Config } from "../../config/config";
import { LAN, node, service } from "../fixtures";
import { EXCLUDE_LABEL } from "../facts";
import type { NodeFacts, ServiceFacts } from "../facts";
import { createAdvertiser } from "./advertiser";
import type { Advertiser } from "./advertiser";
import type { BgpView } from "./view";

const ME = node("iris1", { addresses: ["127.0.0.1"] });
const EXCLUDED = { ...ME, labels: { ...ME.labels, [EXCLUDE_LABEL]: "" } };
const addressOf = (n: number): string => `10.20.30.${n}`;
const someServices = (count: number): readonly ServiceFacts[] =>
  Array.from({ length: count }, (_, n) => service(`s${n}`, [addressOf(n)]));

/** Against a second speaker, over TCP on loopback; what it received is the evidence. */
describe("an announcer that advertises", () => {
  let router: Speaker;
  let routerSide: Peer;
  let advertiser: Advertiser;
  let config: Config;
  let view: BgpView | undefined;
  let timers: readonly (() => void)[];
  let now: number;
  let downs: readonly string[];

  beforeEach(async () => {
    const port = await freePort();
    [timers, now, downs, view] = [[], 0, [], undefined];
    router = createSpeaker({
      ...{ as: 64501, routerId: "10.0.0.1" },
      listen: { address: "127.0.0.1", port },
    });
    routerSide = router.addPeer({
      ...{ address: "127.0.0.1", as: "external", isPassive: true, importFilter: () => true },
      gracefulRestart: { restartTime: 9, isRestarting: false, isForwarding: true },
      onChange: change => {
        if (change.type === "down" && change.wasUp) downs = [...downs, change.reason];
      },
    });
    await router.listening();
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    advertiser = createAdvertiser({
      ...{ log, ignoreExcludeLabel: false, drainMs: 2_000, now: () => now },
      after: (_, callback) => {
        timers = [...timers, callback];
        return () => undefined;
      },
      onView: next => (view = next),
    });
    const peer = {
      ...{ name: "router", myAsn: 64500, peerAsn: 64501, address: "127.0.0.1", port },
      ...{ holdTime: 90, families: ["ipv4"] as const, nodeSelectors: [] },
    };
    const ad = {
      ...{ name: "ad", pools: ["lan"], aggregationLength: { ipv4: 32, ipv6: 128 } },
      ...{ communities: [], largeCommunities: [], peers: [] },
      ...{ nodeSelectors: [], serviceSelectors: [] },
      weighsEndpoints: false,
    };
    config = { ...LAN, l2Ads: [], bgpPeers: [peer], bgpAds: [ad] };
  });

  afterEach(async () => {
    now = Infinity;
    const stopped = advertiser.stop("the test is over");
    timers.forEach(callback => {
      callback();
    });
    await stopped;
    await router.stop();
  });

  const update = (services: readonly ServiceFacts[], me: NodeFacts = ME): void => {
    advertiser.update({ config, services, me });
  };
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 20_000);
  const received = (): ReturnType<Peer["status"]>["received"] => routerSide.status().received;
  const announced = (count: number): Promise<boolean> =>
    until(() => received().announced === count);
  /** End-of-RIB is an UPDATE, too, and comes after the routes. */
  const settled = async (count: number): Promise<number> => {
    await announced(count);
    await until(() => received().updates > 1);
    return received().updates;
  };
  const letTimePass = (): void => {
    now += 2_000;
    timers.forEach(callback => {
      callback();
    });
  };

  it("says a Service that comes or goes by one UPDATE, and only it", async () => {
    update(someServices(3));
    const before = await settled(3);
    update(someServices(4));
    await announced(4);
    expect(received().updates).toBe(before + 1);
    update(someServices(3));
    await until(() => received().withdrawn === 1);
    expect(received()).toMatchObject({ updates: before + 2, announced: 4 });
  });

  it("packs a thousand Services that change into UPDATEs as full as they can be", async () => {
    const pool = { ...config.pools[0]!, name: "big" };
    const first = pool.ranges[0]!;
    config = {
      ...config,
      pools: [{ ...pool, ranges: [{ ...first, last: first.first + 1023n }] }],
      bgpAds: [{ ...config.bgpAds[0]!, pools: ["big"] }],
    };
    const thousand = Array.from({ length: 1000 }, (_, n) =>
      service(`s${n}`, [`10.20.${30 + Math.floor(n / 256)}.${n % 256}`]),
    );
    update(thousand.slice(0, 1));
    const before = await settled(1);
    update(thousand);
    await announced(1000);
    // A /32 takes 5 octets, and 4096 octets hold about 810 of them beside the attributes.
    expect(received().updates).toBe(before + 2);
    update([]);
    await until(() => received().withdrawn === 1000);
    expect(received().updates).toBe(before + 4);
    expect(downs).toEqual([]);
  });

  it("tells who is told of what, once the session is up and while it is", async () => {
    update(someServices(1));
    expect(view?.audiences.get("default/s0")).toEqual({ peers: [], waitingPeers: ["router"] });
    await until(() => view?.addresses.get(addressOf(0))?.join() === "router");
    expect(view?.audiences.get("default/s0")).toEqual({ peers: ["router"], waitingPeers: [] });
    update([]);
    expect(view?.audiences.size).toBe(0);
  });

  it("with the exclude label makes its routes the last choice, and takes them back later", async () => {
    update(someServices(1));
    await announced(1);
    update(someServices(1), EXCLUDED);
    await announced(2);
    expect(received().withdrawn).toBe(0);
    letTimePass();
    await until(() => received().withdrawn === 1);
    update(someServices(1));
    await announced(3);
    expect(downs).toEqual([]);
  });

  it("does not begin with a node that has the label already", async () => {
    update(someServices(1), EXCLUDED);
    await until(() => received().updates > 0);
    expect(received().announced).toBe(0);
  });

  it("ends the same way: last choice, then Cease with the reason", async () => {
    update(someServices(1));
    await announced(1);
    const stopped = advertiser.stop("the announcer stops");
    await announced(2);
    expect(downs).toEqual([]);
    letTimePass();
    await stopped;
    await until(() => downs.length === 1);
    expect(downs[0]).toContain("the announcer stops");
    expect(view?.told.size).toBe(0);
  });

  const graceful = (): void => {
    config = { ...config, bgpPeers: [{ ...config.bgpPeers[0]!, hasGracefulRestart: true }] };
  };

  it("with graceful restart leaves its routes as they are", async () => {
    graceful();
    update(someServices(1));
    await announced(1);
    await advertiser.stop("the announcer stops");
    await until(() => downs.length === 1);
    expect(downs[0]).not.toContain("the announcer stops");
    expect(received().announced).toBe(1);
    expect([...routerSide.routes()]).toHaveLength(1);
  });

  it.each([
    ["is not Ready", { notReadySince: 1 }],
    ["has no network", { isNetworkUnavailable: true }],
  ])(
    "takes them back all the same from a node that %s, which does not come back soon",
    async (_, over) => {
      graceful();
      update(someServices(1));
      await announced(1);
      update(someServices(1), { ...ME, ...over });
      const stopped = advertiser.stop("the announcer stops");
      letTimePass();
      await stopped;
      await until(() => downs.length === 1);
      expect(downs[0]).toContain("the announcer stops");
      expect([...routerSide.routes()]).toEqual([]);
    },
  );
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
