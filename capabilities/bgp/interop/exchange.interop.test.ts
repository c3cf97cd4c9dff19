import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { startGobgp } from "../../../hack/interop/gobgp";
import type { Gobgp } from "../../../hack/interop/gobgp";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { startTogether } from "../../../hack/interop/together";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker, linkBandwidth } from "../index";
import type { Peer, Speaker } from "../index";

const host = (number: number) => ({ addresses: [`10.9.0.${number}/24`] });
const HOSTS = { us: host(1), frr: host(101), gobgp: host(103) };
const ROUTE = "192.0.2.1/32";
const ATTRIBUTES = {
  communities: ["65535:0", "65001:7"],
  largeCommunities: ["4200000001:1:2"],
  extendedCommunities: [linkBandwidth(64_500, 125_000_000)],
};

/**
 * What is said on a session beside routes, as FRR and GoBGP have it in their JSON; BIRD is in speaker.interop. GoBGP keeps
 * what it was told and has no command that asks for it again.
 */
describe("on a session, the speaker and", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let gobgp: Gobgp;
  let speaker: Speaker | undefined;
  let leave: (() => void) | undefined;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    lan = await createLan("bgp-exchange", HOSTS);
    leave = enterNamespace(lan.namespace("us"));
    ({ frr, gobgp } = await startTogether(
      {
        frr: startFrr(FRR, lan.inside("frr")),
        gobgp: startGobgp(GOBGP, lan.inside("gobgp")),
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

  async function meet(address: string, as: number): Promise<Peer> {
    speaker = createSpeaker({ as: 64_500, routerId: "10.9.0.1" });
    const retry = { retryTime: 0.5, maxRetryTime: 1, idleHoldTime: 1 };
    const peer = speaker.addPeer({ ...retry, address, as, families: ["ipv4"] });
    peer.announce([ROUTE], ATTRIBUTES);
    await waitFor("the session", () => Promise.resolve(peer.status().state === "Established"));
    return peer;
  }

  const lastError = (peer: Peer, text: string): Promise<unknown> =>
    waitFor(`"${text}" in our status`, () =>
      Promise.resolve((peer.status().lastError ?? "").includes(text)),
    );

  describe("FRR", () => {
    type Neighbor = {
      readonly messageStats: { readonly updatesRecv: number; readonly routeRefreshSent: number };
      readonly lastNotificationReason?: string;
      readonly lastShutdownDescription?: string;
    };
    const neighbor = async (): Promise<Neighbor> =>
      (await frr.json<Record<string, Neighbor>>("show bgp neighbors 10.9.0.1 json"))["10.9.0.1"]!;
    type Path = Record<
      "community" | "largeCommunity" | "extendedCommunity",
      { readonly string: string } | undefined
    >;
    const path = (): Promise<Path> =>
      waitFor("the route at FRR", async () => {
        const command = `show bgp ipv4 unicast ${ROUTE} json`;
        const { paths = [] } = await frr.json<{ paths?: readonly Path[] }>(command);
        return paths[0] ?? false;
      });

    it("bgp 46: mean the same by communities of all three kinds", async () => {
      await meet("10.9.0.101", 65_101);
      const { community, largeCommunity, extendedCommunity } = await path();
      expect(community?.string).toBe("65001:7 graceful-shutdown");
      expect(largeCommunity?.string).toBe("4200000001:1:2");
      expect(extendedCommunity?.string).toMatch(/^LB:64500:125000000 \(1\.000 Gbps\)$/);
    });

    it("bgp 56: tell all again when an operator asks for it", async () => {
      await meet("10.9.0.101", 65_101);
      await path();
      const before = (await neighbor()).messageStats;
      await frr.ask("clear bgp ipv4 unicast 10.9.0.1 soft in");
      await waitFor("the answer", async () => {
        const { updatesRecv, routeRefreshSent } = (await neighbor()).messageStats;
        return routeRefreshSent > before.routeRefreshSent && updatesRecv === before.updatesRecv + 1;
      });
      await path();
    });

    it("bgp 67: show each other why the session ends", async () => {
      const peer = await meet("10.9.0.101", 65_101);
      await frr.configure("router bgp 65101\n neighbor 10.9.0.1 shutdown message back at noon\n");
      await lastError(peer, "back at noon");
      await frr.configure("router bgp 65101\n no neighbor 10.9.0.1 shutdown\n");
      await speaker?.stop();
      const other = await meet("10.9.0.101", 65_101);
      await path();
      await other.stop("maintenance until noon");
      await waitFor("our text at FRR", async () => {
        const { lastNotificationReason, lastShutdownDescription } = await neighbor();
        return (
          lastNotificationReason === "Cease/Administrative Shutdown" &&
          lastShutdownDescription === "maintenance until noon"
        );
      });
    });
  });

  describe("GoBGP", () => {
    type Attribute = {
      readonly type: number;
      readonly communities?: readonly number[];
      readonly value?: unknown;
    };
    type Paths = readonly { readonly attrs: readonly Attribute[] }[];
    const attributes = (): Promise<readonly Attribute[]> =>
      waitFor("the route at GoBGP", async () => {
        const rib = await gobgp.json<Record<string, Paths>>("global rib -a ipv4");
        return rib[ROUTE]?.[0]?.attrs ?? false;
      });
    it("bgp 46: mean the same by communities of all three kinds", async () => {
      await meet("10.9.0.103", 65_103);
      const of = async (type: number): Promise<Attribute | undefined> =>
        (await attributes()).find(one => one.type === type);
      expect((await of(8))?.communities).toEqual([65_001 * 0x1_0000 + 7, 0xffff_0000]);
      expect(JSON.stringify((await of(32))?.value)).toBe(
        '[{"ASN":4200000001,"LocalData1":1,"LocalData2":2}]',
      );
      expect(JSON.stringify(await of(16))).toContain("64500");
    });

    it("bgp 67: show each other why the session ends", async () => {
      const peer = await meet("10.9.0.103", 65_103);
      await gobgp.ask("neighbor 10.9.0.1 shutdown --reason=back-at-noon");
      await lastError(peer, "back-at-noon");
      await speaker?.stop();
      const other = await meet("10.9.0.103", 65_103);
      await other.stop("maintenance until noon");
      await waitFor("our text in GoBGP's log", () =>
        Promise.resolve(gobgp.log().includes("maintenance until noon")),
      );
    });
  });
});

const FRR = `
router bgp 65101
 bgp router-id 10.9.0.101
 no bgp ebgp-requires-policy
 neighbor 10.9.0.1 remote-as 64500
 neighbor 10.9.0.1 passive
 neighbor 10.9.0.1 timers 3 9
`;
const GOBGP = `
[global.config]
  as = 65103
  router-id = "10.9.0.103"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "10.9.0.1"
    peer-as = 64500
  [neighbors.transport.config]
    passive-mode = true
  [neighbors.timers.config]
    hold-time = 9
    idle-hold-time-after-reset = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
`;
