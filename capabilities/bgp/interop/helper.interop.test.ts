import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, Speaker } from "../index";

const host = (number: number) => ({ addresses: [`10.9.0.${number}/24`] });
const HOSTS = { us: host(1), frr: host(101), bird: host(102) };
const OLD = "198.51.100.0/25";
const NEW = "198.51.100.128/25";

/** The other half of restart.interop: it is the router that restarts, and we keep what it told. */
describe.each([2, 3] as const)(
  "while a router (BIRD %i) restarts the speaker keeps its routes:",
  version => {
    let lan: Lan<keyof typeof HOSTS>;
    let frr: Frr;
    let bird: Bird;
    let speaker: Speaker | undefined;
    let leave: (() => void) | undefined;
    const stops = new Map<string, () => Promise<void>>();

    beforeAll(async () => {
      lan = await createLan(`bgp-helper${version}`, HOSTS);
      leave = enterNamespace(lan.namespace("us"));
      speaker = createSpeaker({ as: 64_500, routerId: "10.9.0.1" });
      frr = await startFrr(FRR, lan.inside("frr"));
      stops.set("frr", () => frr.stop());
      await beginBird([OLD]);
    });

    afterAll(async () => {
      await speaker?.stop();
      await settleAll([...stops.values()].map(stop => stop()));
      leave?.();
      await lan.remove();
    });

    async function beginBird(routes: readonly string[]): Promise<void> {
      const it = await startBird(birdConfig(routes), lan.inside("bird"), version);
      bird = it;
      stops.set("bird", () => it.stop());
    }

    /** With a peer whose routes are kept, and the number of times that its routes changed. */
    function meet(address: string, as: number): Peer {
      return speaker!.addPeer({
        ...{ address, as, families: ["ipv4"], holdTime: 9, retryTime: 0.5, maxRetryTime: 1 },
        importFilter: () => true,
        gracefulRestart: { restartTime: 60, isRestarting: false, isForwarding: true },
      });
    }
    const routes = (peer: Peer): string => [...peer.routes()].map(({ prefix }) => prefix).join();
    const until = (what: string, is: () => boolean): Promise<unknown> =>
      waitFor(what, () => Promise.resolve(is()), 30_000);
    const isUp = (peer: Peer): boolean => peer.status().state === "Established";

    it("bgp 71: FRR's, through its crash and its return, without a gap", async () => {
      const peer = meet("10.9.0.101", 65_101);
      await until("FRR's route", () => routes(peer) === OLD);
      expect(peer.status().session?.peerRestart).toMatchObject({ families: ["ipv4"] });
      await frr.crash("bgpd");
      await until("the end of the session", () => !isUp(peer));
      const seen = new Set([routes(peer)]);
      const watch = setInterval(() => seen.add(routes(peer)), 20);
      await frr.revive("bgpd");
      await until("the session again", () => isUp(peer));
      await until("FRR's End-of-RIB", () => peer.status().received.updates > 1);
      clearInterval(watch);
      expect([...seen]).toEqual([OLD]);
    });

    it("bgp 71: BIRD's, until it is back and tells others", async () => {
      const peer = meet("10.9.0.102", 65_102);
      await until("BIRD's route", () => routes(peer) === OLD);
      stops.delete("bird");
      await bird.stop("SIGKILL");
      await until("the end of the session", () => !isUp(peer));
      expect(routes(peer)).toBe(OLD);
      await beginBird([NEW]);
      await until("BIRD's other route", () => routes(peer) === NEW);
    });
  },
);

const FRR = `
ip route ${OLD} blackhole
router bgp 65101
 bgp router-id 10.9.0.101
 no bgp ebgp-requires-policy
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 neighbor 10.9.0.1 remote-as 64500
 neighbor 10.9.0.1 passive
 neighbor 10.9.0.1 timers 3 9
 address-family ipv4 unicast
  network ${OLD}
 exit-address-family
`;
const birdConfig = (routes: readonly string[]): string => `
router id 10.9.0.102;
protocol device { }
protocol static { ipv4; ${routes.map(route => `route ${route} blackhole;`).join(" ")} }
protocol bgp node {
  local 10.9.0.102 as 65102; neighbor 10.9.0.1 as 64500; passive on;
  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 9;
  graceful restart on;
  ipv4 { import all; export all; };
}`;
