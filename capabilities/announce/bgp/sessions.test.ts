import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSpeaker } from "../../bgp/index";
import type { Bfd, BfdStatus, Peer, Speaker } from "../../bgp/index";
import type { BgpPeer } from "../../config/bgp/peer";
import { node } from "../fixtures";
import { createSessions } from "./sessions";
import type { BgpSessions } from "./sessions";
import type { Routes, WantedPeer } from "./routes";

const ME = node("n1", { addresses: ["127.0.0.1"] });
const A = "192.0.2.1/32";
const B = "192.0.2.2/32";

/** Against a second speaker, over TCP on loopback. */
describe("the BGP sessions of a node", () => {
  let router: Speaker;
  let routerSide: Peer;
  let sessions: BgpSessions;
  let peer: BgpPeer;
  let ups: number;
  let downs: readonly string[];
  let watched: unknown[];
  /** What BFD is asked for; the real one is tested beside real routers. */
  const recorder: Bfd = {
    watch: options => {
      watched.push(options);
      return {
        status: () => ({ state: "Down" }) as BfdStatus,
        configure: timers => watched.push(timers),
        close: () => Promise.resolve(void watched.push("closed")),
      };
    },
    stop: () => Promise.resolve(),
  };

  beforeEach(async () => {
    const port = await freePort();
    ups = 0;
    downs = [];
    router = createSpeaker({
      ...{ as: 64501, routerId: "10.0.0.1" },
      listen: { address: "127.0.0.1", port },
    });
    routerSide = router.addPeer({
      ...{ address: "127.0.0.1", as: "external", isPassive: true, importFilter: () => true },
      gracefulRestart: { restartTime: 9, isRestarting: false, isForwarding: true },
      onChange: change => {
        if (change.type === "up") ups += 1;
        else if (change.wasUp) downs = [...downs, change.reason];
      },
    });
    await router.listening();
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    watched = [];
    sessions = createSessions({ log, watch: () => recorder });
    peer = {
      ...{ name: "router", myAsn: 64500, peerAsn: 64501, address: "127.0.0.1", port },
      ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [] },
    };
  });

  afterEach(async () => {
    await sessions.stop("the test is over");
    await router.stop();
  });

  const apply = (routes: Routes, over: Partial<BgpPeer> = {}): void => {
    const wanted: WantedPeer = { peer: { ...peer, ...over }, routes, carried: new Set() };
    sessions.apply([wanted], ME);
  };
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 20_000);
  const announced = (): number => routerSide.status().received.announced;

  it("announce what is wanted, take back what is not, and say nothing twice", async () => {
    apply(new Map([[A, {}]]));
    await until(() => announced() === 1);
    expect(sessions.reports()).toMatchObject([
      { name: "router", peer: `127.0.0.1:${peer.port}`, isUp: true, prefixes: 1 },
    ]);
    apply(new Map([[A, {}]]));
    apply(
      new Map([
        [A, {}],
        [B, {}],
      ]),
    );
    await until(() => announced() === 2);
    apply(new Map([[B, {}]]));
    await until(() => routerSide.status().received.withdrawn === 1);
    expect(announced()).toBe(2);
    expect(ups).toBe(1);
  });

  it("stay up when attributes change", async () => {
    apply(new Map([[A, {}]]));
    await until(() => announced() === 1);
    apply(new Map([[A, { communities: ["64500:1"] }]]));
    await until(() => announced() === 2);
    expect([ups, downs]).toEqual([1, []]);
  });

  it("are watched by BFD, whose timers change while they stay up", async () => {
    const bfd = { transmitInterval: 100, isPassive: false, isMultihop: false };
    apply(new Map([[A, {}]]), { bfd });
    await until(() => watched.length === 1);
    expect(watched[0]).toMatchObject({ address: "127.0.0.1", ...bfd });
    apply(new Map([[A, {}]]), { bfd });
    expect(watched).toHaveLength(1);
    apply(new Map([[A, {}]]), { bfd: { ...bfd, transmitInterval: 50 } });
    expect(watched[1]).toMatchObject({ transmitInterval: 50 });
    expect([ups, downs]).toEqual([1, []]);
    apply(new Map([[A, {}]]));
    await until(() => ups === 2);
    expect(watched.slice(2)).toEqual(["closed"]);
  });

  it("metallb 140: end with their BGPPeer, and tell the router why", async () => {
    apply(new Map([[A, {}]]));
    await until(() => announced() === 1);
    sessions.apply([], ME);
    await until(() => downs.length === 1);
    expect(downs[0]).toContain("no BGPPeer for this node any more");
    expect(sessions.reports()).toEqual([]);
  });

  it("begin anew, with all routes, when what they depend on changes", async () => {
    apply(new Map([[A, {}]]));
    await until(() => announced() === 1);
    apply(new Map([[A, {}]]), { myAsn: 64502 });
    await until(() => ups === 2 && announced() === 1);
    expect(downs[0]).toContain("its BGPPeer was changed");
    expect(routerSide.status().session).toMatchObject({ peerAs: 64502 });
  });

  it("stay up when only the time between attempts changes, which matters once they are down", async () => {
    apply(new Map([[A, {}]]));
    await until(() => announced() === 1);
    apply(new Map([[A, {}]]), { connectTime: 7 });
    apply(
      new Map([
        [A, {}],
        [B, {}],
      ]),
      { connectTime: 7 },
    );
    await until(() => announced() === 2);
    expect([ups, downs]).toEqual([1, []]);
  });

  it("give a router a second to forget a session before they come back", async () => {
    let now = 0;
    let calls = 0;
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const own = createSessions({ log, now: () => now, onNews: () => (calls += 1) });
    const one = (over: Partial<BgpPeer>): void => {
      const wanted = { peer: { ...peer, ...over }, routes: new Map(), carried: new Set<string>() };
      own.apply([wanted], ME);
    };
    one({});
    await until(() => calls === 1);
    own.apply([], ME);
    await until(() => downs.length === 1);
    one({ name: "again", holdTime: 30 });
    expect(own.reports()[0]?.status.state).toBe("Active");
    await until(() => calls === 2);
    own.apply([], ME);
    await until(() => downs.length === 2);
    now = 5_000;
    one({});
    expect(own.reports()[0]?.status.state).toBe("Connect");
    await own.stop("the test is over");
  });

  const kept = (): readonly string[] => [...routerSide.routes()].map(({ prefix }) => prefix);

  it("leave their routes with a router that knows graceful restart, and correct them after it", async () => {
    const routes = new Map([[A, {}]]);
    apply(routes, { hasGracefulRestart: true });
    await until(() => kept().length === 1);
    expect(sessions.reports()[0]).toMatchObject({ isKept: true });
    await sessions.stop("a restart", { isRestart: true });
    await until(() => downs.length === 1);
    expect(downs[0]).not.toContain("a restart");
    expect(kept()).toEqual([A]);
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    sessions = createSessions({ log });
    apply(new Map([[B, {}]]), { hasGracefulRestart: true });
    await until(() => kept().join() === B);
    expect(ups).toBe(2);
  });

  it("take their routes back, and say why, when the BGPPeer does not ask for graceful restart", async () => {
    apply(new Map([[A, {}]]));
    await until(() => kept().length === 1);
    expect(sessions.reports()[0]).toMatchObject({ isKept: false });
    await sessions.stop("a restart", { isRestart: true });
    await until(() => downs.length === 1);
    expect(downs[0]).toContain("a restart");
    expect(kept()).toEqual([]);
  });

  it("wait for the node to be known", () => {
    sessions.apply([{ peer, routes: new Map(), carried: new Set() }], undefined);
    expect(sessions.reports()).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
