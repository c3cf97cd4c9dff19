import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { EXABGP_API, startExabgp } from "../../../hack/interop/exabgp";
import type { Exabgp } from "../../../hack/interop/exabgp";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { startGobgp } from "../../../hack/interop/gobgp";
import type { Gobgp } from "../../../hack/interop/gobgp";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { startTogether } from "../../../hack/interop/together";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, Speaker } from "../index";
import { birdConfig } from "./bird-config";
import { CASES, OUR_AS, ourAddress, peerAddress, peerOf, prefixesOf, ROUTER_AS } from "./cases";
import type { Case } from "./cases";
import { frrConfig } from "./frr-config";
import { gobgpConfig } from "./gobgp-config";
import { HOSTS, ROUTERS } from "./hosts";
import type { RouterName } from "./hosts";

const combinations = CASES.flatMap(one => one.routers.map(router => ({ ...one, router })));

/**
 * Every kind of session with every router, all at once; what the routers say of themselves is the
 * evidence. The test's process is on the host `us`.
 */
describe("the speaker and", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let bird: Bird;
  let bird3: Bird;
  let gobgp: Gobgp;
  let exabgp: Exabgp;
  let speaker: Speaker | undefined;
  let leave: () => void;
  const stops: (() => Promise<void>)[] = [];
  const peers = new Map<string, Peer>();

  beforeAll(async () => {
    lan = await createLan("bgp-matrix", HOSTS);
    leave = enterNamespace(lan.namespace("us"));
    const ours = createSpeaker({
      ...{ as: OUR_AS, routerId: "10.9.0.1" },
      listen: { address: "::", port: 179 },
    });
    speaker = ours;
    await ours.listening();
    for (const { router, ...one } of combinations) {
      const peer = ours.addPeer(peerOf(one, router));
      peer.announce(prefixesOf(one));
      peers.set(`${router} ${one.number}`, peer);
    }
    ({ frr, bird, bird3, gobgp, exabgp } = await startTogether(
      {
        frr: startFrr(frrConfig(), lan.inside("frr")),
        bird: startBird(birdConfig("bird"), lan.inside("bird")),
        bird3: startBird(birdConfig("bird3"), lan.inside("bird3"), 3),
        gobgp: startGobgp(gobgpConfig(), lan.inside("gobgp")),
        exabgp: startExabgp(EXABGP, lan.inside("exabgp")),
      },
      stops,
    ));
  });

  afterAll(async () => {
    await speaker?.stop();
    await settleAll(stops.map(stop => stop()));
    leave();
    await lan.remove();
  });

  /** What a router has of us in a case: whether the session is up, and our routes. */
  const views: Readonly<Record<RouterName, (one: Case) => Promise<View>>> = {
    frr: one => frrView(frr, one),
    bird: one => birdView(bird, one),
    bird3: one => birdView(bird3, one),
    gobgp: one => gobgpView(gobgp, one),
    exabgp: one => exabgpView(exabgp, one),
  };

  it.each(combinations)("$router: $title", async ({ router, ...one }) => {
    const arrived = async (): Promise<View | false> => {
      const found = await views[router](one);
      return found.isUp && found.hops.every(hop => hop !== undefined) && found;
    };
    const view = await waitFor(`${router}'s routes`, arrived, 30_000).catch((error: unknown) => {
      const status = JSON.stringify(peers.get(`${router} ${one.number}`)?.status());
      throw new Error(`we are ${status}`, { cause: error });
    });
    const [v4, v6] = view.hops;
    const own = { ipv4: `10.9.0.${one.number}`, ipv6: `fd00:9::${one.number}` };
    expect(v4).toBe(one.isIpv4OverIpv6 === true ? own.ipv6 : own.ipv4);
    expect(v6).toBe(own.ipv6);
  });
});

type View = { readonly isUp: boolean; readonly hops: readonly (string | undefined)[] };

async function frrView(frr: Frr, one: Case): Promise<View> {
  type Neighbors = Record<string, { readonly bgpState: string }>;
  type Routes = { readonly routes?: Record<string, readonly FrrRoute[]> };
  type FrrRoute = {
    readonly nexthops: readonly { readonly ip: string; readonly scope?: string }[];
  };
  const peer = ourAddress(one);
  const neighbors = await frr.json<Neighbors>(`show bgp neighbors ${peer} json`);
  const hops = await Promise.all(
    prefixesOf(one).map(async (prefix, index) => {
      const family = index === 0 ? "ipv4" : "ipv6";
      const command = `show bgp ${family} unicast neighbors ${peer} routes json`;
      const { routes } = await frr.json<Routes>(command);
      return routes?.[prefix]?.[0]?.nexthops.find(({ scope }) => scope !== "link-local")?.ip;
    }),
  );
  return { isUp: neighbors[peer]?.bgpState === "Established", hops };
}

async function birdView(bird: Bird, one: Case): Promise<View> {
  const state = await bird.ask(`show protocols all c${one.number}`);
  const hops = await Promise.all(
    prefixesOf(one).map(async prefix => {
      const table = await bird.ask(`show route protocol c${one.number} all`);
      const route = table.slice(Math.max(0, table.indexOf(prefix)));
      return /BGP\.next_hop: (\S+)/.exec(route)?.[1];
    }),
  );
  return { isUp: /BGP state:\s+Established/.test(state), hops };
}

async function gobgpView(gobgp: Gobgp, one: Case): Promise<View> {
  type Neighbor = { readonly state: { readonly session_state: number } };
  type Path = {
    readonly attrs: readonly { readonly type: number; readonly nexthop?: string }[];
  };
  const peer = ourAddress(one);
  const { state } = await gobgp.json<Neighbor>(`neighbor ${peer}`);
  const hops = await Promise.all(
    prefixesOf(one).map(async (prefix, index) => {
      const family = index === 0 ? "ipv4" : "ipv6";
      const command = `neighbor ${peer} adj-in -a ${family}`;
      const table = await gobgp.json<Record<string, readonly Path[]>>(command).catch(() => ({}));
      const attributes = (table as Record<string, readonly Path[]>)[prefix]?.[0]?.attrs;
      return attributes?.find(({ nexthop }) => nexthop !== undefined)?.nexthop;
    }),
  );
  return { isUp: state.session_state === 6, hops };
}

async function exabgpView(exabgp: Exabgp, one: Case): Promise<View> {
  const events = (await exabgp.events()).filter(
    ({ neighbor }) => neighbor.address.peer === ourAddress(one),
  );
  const text = JSON.stringify(events);
  const hops = prefixesOf(one).map(prefix => {
    const family = prefix.includes(":") ? "ipv6" : "ipv4";
    const pattern = new RegExp(`"${family} unicast":\\{"([^"]+)":\\[\\{"nlri":"${prefix}"`);
    return pattern.exec(text)?.[1];
  });
  return { isUp: events.some(({ neighbor }) => neighbor.state === "up"), hops };
}

const EXABGP = CASES.filter(({ routers }) => routers.includes("exabgp"))
  .map(
    one => `
neighbor ${ourAddress(one)} {
  router-id 10.9.0.${ROUTERS.exabgp};
  local-address ${peerAddress(one, "exabgp")}; local-as ${ROUTER_AS.exabgp}; peer-as ${OUR_AS};
  family { ipv4 unicast; ipv6 unicast; }
  ${EXABGP_API}
}`,
  )
  .join("\n");
