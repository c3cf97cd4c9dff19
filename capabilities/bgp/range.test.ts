import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freePort, HOST } from "./fixtures-net";
import type { PeerRange } from "./range";
import { createSpeaker } from "./speaker";
import type { Speaker } from "./speaker";

/** Over TCP on loopback: routers at several addresses, and a hub that knows their network only. */
describe("dynamic neighbours", { timeout: 60_000 }, () => {
  let hub: Speaker;
  let port: number;
  let range: PeerRange;
  const routers: Speaker[] = [];
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 30_000);

  beforeEach(async () => {
    port = await freePort();
    hub = createSpeaker({ as: 65_002, routerId: "10.0.0.2", listen: { address: HOST, port } });
    await hub.listening();
    range = hub.addRange({ prefix: "127.0.1.0/24", as: "external", limit: 2 });
  });

  afterEach(async () => {
    await Promise.all([hub, ...routers.splice(0)].map(speaker => speaker.stop()));
  });

  const dial = (localAddress: string) => {
    const router = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    routers.push(router);
    const retry = { retryTime: 0.1, maxRetryTime: 0.2 };
    return router.addPeer({ address: HOST, as: 65_002, port, localAddress, ...retry });
  };
  const up = (): readonly (string | undefined)[] =>
    range
      .peers()
      .filter(({ state }) => state === "Established")
      .map(({ address }) => address);

  it("bgp 18: are there from their first connection on, with what is announced to all", async () => {
    range.announce(["192.0.2.1/32"]);
    const a = dial("127.0.1.1");
    const b = dial("127.0.1.2");
    await until(() => up().length === 2);
    expect([...up()].sort()).toEqual(["127.0.1.1", "127.0.1.2"]);
    range.announce(["192.0.2.2/32"]);
    await until(() => [a, b].every(peer => peer.status().received.announced === 2));
    range.withdraw(["192.0.2.1/32"]);
    await until(() => [a, b].every(peer => peer.status().received.withdrawn === 1));
  });

  it("bgp 18: are no more than their limit, and make room when they go", async () => {
    dial("127.0.1.1");
    dial("127.0.1.2");
    await until(() => up().length === 2);
    const late = dial("127.0.1.3");
    await until(() => late.status().lastError !== undefined);
    expect(up()).not.toContain("127.0.1.3");
    await routers[0]!.stop("goes");
    await until(() => up().includes("127.0.1.3"));
    expect(range.peers()).toHaveLength(2);
  });

  it("bgp 17: from elsewhere are hung up on", async () => {
    const stranger = dial("127.0.2.1");
    await until(() => stranger.status().lastError !== undefined);
    expect(range.peers()).toEqual([]);
  });

  it("end together, and are told why", async () => {
    const a = dial("127.0.1.1");
    await until(() => up().length === 1);
    await range.stop("no more of you");
    await until(() => /no more of you/.test(a.status().lastError ?? ""));
    expect(range.peers()).toEqual([]);
    expect(() => hub.addRange({ prefix: "nonsense", as: 1 })).toThrow('"nonsense" is no IP prefix');
  });
});
