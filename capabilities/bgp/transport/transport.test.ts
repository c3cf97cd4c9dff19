import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { freePort, HOST } from "../fixtures-net";
import { createSpeaker } from "../speaker";
import type { Peer } from "../peer";
import type { PeerOptions } from "../peer-options";
import type { Speaker } from "../speaker";
import { plainTcp } from "./plain-tcp";

/** The real kernel on loopback; the matrix of interop tests has real routers. */
describe("connections", { timeout: 60_000 }, () => {
  const speakers: Speaker[] = [];
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 30_000);
  const isUp = (peer: Peer): boolean => peer.status().state === "Established";

  afterEach(async () => {
    await Promise.all(speakers.splice(0).map(speaker => speaker.stop("the test is over")));
  });

  async function far(address = HOST): Promise<{ speaker: Speaker; port: number }> {
    const port = await freePort(address);
    const listen = { address, port };
    const speaker = createSpeaker({ as: 65_002, routerId: "10.0.0.2", listen });
    speakers.push(speaker);
    await speaker.listening();
    return { speaker, port };
  }

  async function pair(theirs: Partial<PeerOptions>, ours: Partial<PeerOptions>, address = HOST) {
    const { speaker, port } = await far(address);
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    const common = { address, as: "external", retryTime: 0.1, maxRetryTime: 0.2 } as const;
    return {
      theirs: speaker.addPeer({ ...common, isPassive: true, ...theirs }),
      ours: near.addPeer({ ...common, port, dialTime: 0.5, ...ours }),
    };
  }

  it.each([HOST, "::1"])("bgp 77: are signed on both sides, at %s", async address => {
    const { ours, theirs } = await pair({ password: "s3cret" }, { password: "s3cret" }, address);
    await until(() => isUp(ours) && isUp(theirs));
  });

  it("bgp 77: do not come up with another password, nor without", async () => {
    for (const ours of [{ password: "other" }, {}]) {
      const one = await pair({ password: "s3cret" }, ours);
      await until(() => /no answer within/.test(one.ours.status().lastError ?? ""));
      expect(one.theirs.status().lastError).toBeUndefined();
    }
  });

  it("bgp 77: have the password that the peer that is there has, after another", async () => {
    const { speaker, port } = await far();
    const common = { address: HOST, as: "external", retryTime: 0.1, maxRetryTime: 0.2 } as const;
    await speaker.addPeer({ ...common, isPassive: true, password: "old" }).stop();
    const theirs = speaker.addPeer({ ...common, isPassive: true, password: "new" });
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    near.addPeer({ ...common, port, dialTime: 0.5, password: "new" });
    await until(() => isUp(theirs));
  });

  it("bgp 79: tell nobody the password", async () => {
    const { ours, theirs } = await pair({ password: "s3cret" }, { password: "0ther" });
    await until(() => ours.status().lastError !== undefined);
    expect(JSON.stringify([ours.status(), theirs.status()])).not.toMatch(/s3cret|0ther/);
    expect(() =>
      speakers[0]?.addPeer({ address: HOST, as: 1, password: "s3cret".repeat(99) }),
    ).toThrow(/^password: its length 594 is out of its range$/);
  });

  it("bgp 78: have TTL security, and drop what comes from farther", async () => {
    const good = await pair({ ttlSecurity: 1 }, { ttlSecurity: 1 });
    await until(() => isUp(good.ours) && isUp(good.theirs));
    const bad = await pair({ ttlSecurity: 1, dialTime: 1 }, { multihop: 64, holdTime: 3 });
    await until(() => bad.ours.status().lastError !== undefined);
    expect(isUp(bad.theirs)).toBe(false);
  });

  it("bgp 14: end an attempt that nobody answers, and come from the address that is said", async () => {
    const { speaker, port } = await far();
    const theirs = speaker.addPeer({ address: "127.0.0.3", as: "external", isPassive: true });
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    near.addPeer({ address: HOST, as: "external", port, localAddress: "127.0.0.3" });
    // 240.0.0.1 has no route, or one that leads nowhere; both end the attempt.
    const lost = near.addPeer({ address: "240.0.0.1", as: 65_003, dialTime: 0.2 });
    await until(() => isUp(theirs) && lost.status().lastError !== undefined);
  });

  it("tell several peers at one address apart by ours", async () => {
    const { speaker, port } = await far();
    const passive = { address: HOST, as: "external", isPassive: true } as const;
    const a = speaker.addPeer({ ...passive, localAddress: "127.0.0.9" });
    const b = speaker.addPeer({ ...passive, localAddress: HOST });
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    near.addPeer({ address: HOST, as: "external", port });
    await until(() => isUp(b));
    expect(a.status().state).toBe("Active");
  });

  it("without an interface of that name say so, and look again", () => {
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    const peer = near.addPeer({ interface: "nowhere0", as: "external" });
    expect(peer.status()).toMatchObject({
      state: "Idle",
      address: undefined,
      lastError: "there is no interface nowhere0",
    });
  });

  it("refuse what is neither an address nor an interface, or both", () => {
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    expect(() => near.addPeer({ as: 1 })).toThrow("an address or an interface");
    expect(() => near.addPeer({ as: 1, address: HOST, interface: "lo" })).toThrow("not both");
    expect(() => near.addPeer({ as: 1, address: HOST, ttlSecurity: 0 })).toThrow("ttlSecurity 0");
  });

  it("of Node.js alone are refused where they would have to be guarded", async () => {
    const ends = async (socket: Socket) => ((await once(socket, "error")) as [Error])[0].message;
    const target = { address: HOST, port: 9 };
    expect(await ends(plainTcp.dial({ ...target, options: { password: "x" } }))).toMatch(/MD5/);
    expect(await ends(plainTcp.dial({ ...target, options: { minTtl: 255 } }))).toMatch(/TTL/);
    const listener = plainTcp.listen({ address: HOST, port: 0, device: "lo" }, () => undefined);
    await expect(listener.listening()).rejects.toThrow(/device/);
  });
});
