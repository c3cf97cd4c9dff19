import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createSpeaker } from "./speaker";
import type { Peer } from "./peer";
import type { PeerOptions } from "./peer-options";
import type { Speaker } from "./speaker";

const HOST = "127.0.0.1";

/** Real TCP on loopback; speaker.interop.test.ts has a real router. */
describe("a speaker", { timeout: 60_000 }, () => {
  const speakers: Speaker[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    sockets.splice(0).forEach(socket => socket.destroy());
    await Promise.all(speakers.splice(0).map(speaker => speaker.stop("the test is over")));
  });

  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 30_000);
  const isUp = (peer: Peer): boolean => peer.status().state === "Established";

  async function listening(as: number): Promise<{ speaker: Speaker; port: number }> {
    const port = await freePort();
    const listen = { address: HOST, port };
    const speaker = createSpeaker({ as, routerId: `10.0.0.${as % 256}`, listen });
    speakers.push(speaker);
    await speaker.listening();
    return { speaker, port };
  }

  /** Two speakers with a session; `options` are the first one's of the second. */
  async function pair(options: Partial<PeerOptions> = {}) {
    const far = await listening(65_002);
    const near = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(near);
    const theirs = far.speaker.addPeer({ address: HOST, as: "external", isPassive: true });
    const ours = near.addPeer({ address: HOST, as: 65_002, port: far.port, ...options });
    return { far, near, theirs, ours };
  }

  /** A peer that speaks bytes, not BGP. */
  async function stranger(port: number): Promise<Socket> {
    const socket = connect({ host: HOST, port });
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  it("comes together with another that dials as well, in one session", async () => {
    const a = await listening(65_001);
    const b = await listening(65_002);
    const changes: string[] = [];
    const onChange: PeerOptions["onChange"] = ({ type }) => changes.push(type);
    const ofA = a.speaker.addPeer({ address: HOST, as: 65_002, port: b.port, onChange });
    const ofB = b.speaker.addPeer({ address: HOST, as: 65_001, port: a.port });
    ofA.announce(["192.0.2.1/32"]);
    ofB.announce(["192.0.2.2/32"]);
    await until(() => isUp(ofA) && isUp(ofB));
    await until(() => ofA.status().received.announced === 1);
    await until(() => ofB.status().received.announced === 1);
    expect(changes.at(-1)).toBe("up");
  });

  it("says everything again when the session comes back", async () => {
    const { theirs, ours } = await pair();
    ours.announce(["192.0.2.1/32", "192.0.2.2/32"]);
    await until(() => theirs.status().received.announced === 2);
    ours.withdraw(["192.0.2.2/32"]);
    await until(() => theirs.status().received.withdrawn === 1);
    ours.reset({ type: "notification", code: 6, subcode: 4, data: new Uint8Array() }, "once more");
    await until(() => theirs.status().lastError !== undefined);
    await until(() => isUp(theirs) && theirs.status().received.announced === 1);
    expect([...ours.prefixes()]).toEqual(["192.0.2.1/32"]);
  });

  it("refuses an AS number that it does not expect, and says so", async () => {
    const { theirs, ours } = await pair({ as: 65_009 });
    await until(() => ours.status().lastError !== undefined);
    expect(ours.status().lastError).toMatch(/65002/);
    expect(isUp(theirs)).toBe(false);
  });

  it("hangs up on those whom it does not know", async () => {
    const { port } = await listening(65_001);
    const socket = await stranger(port);
    await once(socket, "close");
    expect(socket.destroyed).toBe(true);
  });

  it("is not disturbed in one session by what another peer address does", async () => {
    const { far, theirs, ours } = await pair();
    ours.announce(["192.0.2.1/32"]);
    await until(() => theirs.status().received.announced === 1);
    const changes: string[] = [];
    far.speaker.addPeer({
      ...{ address: "127.0.0.2", as: "external", isPassive: true },
      onChange: ({ type }) => changes.push(type),
    });
    for (let i = 0; i < 20; i += 1) {
      const socket = connect({ host: HOST, port: far.port, localAddress: "127.0.0.2" });
      sockets.push(socket);
      socket.on("error", () => undefined);
      await once(socket, "connect");
      socket.write(Buffer.alloc(64, i * 13));
      if (i % 2 === 0) socket.destroy();
    }
    await until(() => changes.length > 0);
    expect(changes).not.toContain("up");
    ours.announce(["192.0.2.2/32"]);
    await until(() => theirs.status().received.announced === 2);
    expect(isUp(ours)).toBe(true);
  });

  it.each<[string, Partial<PeerOptions>]>([
    ["holdTime", { holdTime: 2 }],
    ["as", { localAs: 0 }],
    ["retryTime", { retryTime: 5, maxRetryTime: 1 }],
  ])("refuses a %s out of its range", async (name, options) => {
    await expect(pair(options)).rejects.toThrow(`${name} `);
  });

  it("refuses what is no prefix, no router ID and no attribute", async () => {
    const { ours } = await pair();
    expect(() => {
      ours.announce(["192.0.2.300/32"]);
    }).toThrow('"192.0.2.300/32" is no IP prefix');
    expect(() => {
      ours.announce(["192.0.2.1/32"], { communities: ["70000:1"] });
    }).toThrow(RangeError);
    expect([...ours.prefixes()]).toEqual([]);
    expect(() =>
      createSpeaker({ as: 1, routerId: "0.0.0.0" }).addPeer({ address: HOST, as: 2 }),
    ).toThrow('routerId "0.0.0.0"');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
