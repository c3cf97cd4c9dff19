import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { startTogether } from "../../../hack/interop/together";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, PeerOptions, Speaker } from "../index";

const HOSTS = {
  us: { addresses: ["10.9.0.1/24"] },
  mid: {
    addresses: ["10.9.0.200/24", "10.10.0.200/24"],
    sysctls: ["net.ipv4.ip_forward=1"],
  },
  frr: { addresses: ["10.10.0.101/24"] },
  bird: { addresses: ["10.10.0.102/24"] },
};
const ROUTE = "192.0.2.1/32";

/** Two hops, with a router that does not speak BGP between them. */
describe.each([2, 3] as const)("over two hops (BIRD %i) the speaker and", version => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let bird: Bird;
  let speaker: Speaker | undefined;
  let leave: (() => void) | undefined;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    lan = await createLan(`bgp-far${version}`, HOSTS);
    leave = enterNamespace(lan.namespace("us"));
    await lan.run("us", "ip", "route", "add", "10.10.0.0/24", "via", "10.9.0.200");
    for (const far of ["frr", "bird"] as const)
      await lan.run(far, "ip", "route", "add", "10.9.0.0/24", "via", "10.10.0.200");
    ({ frr, bird } = await startTogether(
      {
        frr: startFrr(FRR, lan.inside("frr")),
        bird: startBird(BIRD, lan.inside("bird"), version),
      },
      stops,
    ));
  });

  afterEach(async () => {
    await speaker?.stop();
    speaker = undefined;
  });

  afterAll(async () => {
    await settleAll(stops.map(stop => stop()));
    leave?.();
    await lan.remove();
  });

  const routers = {
    FRR: { address: "10.10.0.101", as: 65_101 },
    BIRD: { address: "10.10.0.102", as: 65_102 },
  };
  function call(options: PeerOptions): Peer {
    speaker = createSpeaker({ as: 64_500, routerId: "10.9.0.1" });
    const retry = { retryTime: 0.5, maxRetryTime: 1, dialTime: 2 };
    const peer = speaker.addPeer({ ...retry, ...options });
    peer.announce([ROUTE]);
    return peer;
  }
  const routeAt: Readonly<Record<keyof typeof routers, () => Promise<string>>> = {
    FRR: () => frr.ask(`show bgp ipv4 unicast ${ROUTE}`),
    BIRD: () => bird.ask(`show route ${ROUTE} all`),
  };

  it.each(["FRR", "BIRD"] as const)(
    "bgp 78: %s meet with a TTL of 2, and not with 1",
    async name => {
      const near = call(routers[name]);
      await waitFor("a failure", () => Promise.resolve(near.status().lastError !== undefined));
      await speaker?.stop();
      call({ ...routers[name], multihop: 2 });
      await waitFor(`the route at ${name}`, async () =>
        (await routeAt[name]()).includes("10.9.0.1"),
      );
    },
  );

  it("bgp 78: BIRD meet with TTL security for two hops, and not for one", async () => {
    const guarded = { address: "10.10.0.102", as: 65_103, port: 1179 };
    const near = call({ ...guarded, ttlSecurity: 1 });
    await waitFor("a failure", () => Promise.resolve(near.status().lastError !== undefined));
    await speaker?.stop();
    call({ ...guarded, ttlSecurity: 2 });
    await waitFor("the route at BIRD", async () =>
      (await bird.ask("show route protocol guarded")).includes(ROUTE),
    );
  });
});

const FRR = `
router bgp 65101
 bgp router-id 10.10.0.101
 no bgp ebgp-requires-policy
 neighbor 10.9.0.1 remote-as 64500
 neighbor 10.9.0.1 ebgp-multihop 2
 neighbor 10.9.0.1 passive
 neighbor 10.9.0.1 timers 3 9
`;
const BIRD = `
router id 10.10.0.102;
protocol device { }
template bgp any {
  neighbor 10.9.0.1 as 64500; multihop 2; passive on;
  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 9;
  ipv4 { import all; export none; };
}
protocol bgp far from any { local 10.10.0.102 as 65102; }
protocol bgp guarded from any { local 10.10.0.102 port 1179 as 65103; ttl security on; }`;
