import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { theirOpen } from "./fixtures";
import { freePort, HOST } from "./fixtures-net";
import type { Peer } from "./peer";
import type { PeerOptions } from "./peer-options";
import { createSpeaker } from "./speaker";
import type { Speaker } from "./speaker";
import { fromHex } from "./wire/hex";
import { keepalive } from "./wire/keepalive";
import { encodeMessage } from "./wire/message";
import type { Update } from "./wire/update";

const HOSTILE = "127.0.0.66";
const FRIEND = "127.0.0.3";
const MIB = 2 ** 20;
const MARKER = "ff".repeat(16);
const OPEN = encodeMessage(theirOpen);
const KEEPALIVE = encodeMessage(keepalive);

/** One peer does its worst over real sockets, while another one has a session that must not notice. */
describe("a hostile peer", { timeout: 120_000 }, () => {
  let speaker: Speaker;
  let friend: Speaker;
  let port: number;
  let ours: Peer;
  let theirs: Peer;
  let downs: number;
  const sockets: Socket[] = [];
  const until = (holds: () => boolean): Promise<boolean> =>
    vi.waitUntil(holds, { timeout: 50_000, interval: 10 });

  beforeEach(async () => {
    port = await freePort();
    downs = 0;
    speaker = createSpeaker({ as: 65_001, routerId: "10.0.0.1", listen: { address: HOST, port } });
    await speaker.listening();
    const onChange = ({ type }: { type: string }): void => void (downs += type === "down" ? 1 : 0);
    ours = speaker.addPeer({ address: FRIEND, as: 65_003, isPassive: true, onChange });
    friend = createSpeaker({ as: 65_003, routerId: "10.0.0.3" });
    const at = { address: HOST, port, localAddress: FRIEND };
    theirs = friend.addPeer({ ...at, as: 65_001, importFilter: () => true });
    await until(() => ours.status().state === "Established");
    ours.announce(["192.0.2.1/32"]);
    await until(() => [...theirs.routes()].length === 1);
    downs = 0;
  }, 60_000);

  /** After what was done, the other session is the one that it was, and new routes go over it. */
  afterEach(async () => {
    const { session } = ours.status();
    ours.announce(["192.0.2.2/32"]);
    await until(() => [...theirs.routes()].length === 2);
    expect([session !== undefined, downs]).toEqual([true, 0]);
    sockets.splice(0).forEach(socket => socket.destroy());
    await Promise.all([speaker.stop(), friend.stop()]);
  }, 60_000);

  const expectPeer = (options: Partial<PeerOptions> = {}): Peer =>
    speaker.addPeer({ address: HOSTILE, as: 65_002, isPassive: true, ...options });

  async function dial(): Promise<Socket> {
    const socket = connect({ host: HOST, port, localAddress: HOSTILE });
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  async function establish(options: Partial<PeerOptions> = {}): Promise<[Socket, Peer]> {
    const peer = expectPeer(options);
    const socket = await dial();
    socket.write(OPEN);
    socket.write(KEEPALIVE);
    await until(() => peer.status().state === "Established");
    return [socket, peer];
  }

  /** Sends a chunk so many times, as fast as it is read. */
  async function flood(socket: Socket, chunk: Uint8Array, times: number): Promise<void> {
    socket.resume();
    for (let sent = 0; sent < times && !socket.destroyed; sent++) {
      if (!socket.write(chunk)) await until(() => !socket.writableNeedDrain || socket.destroyed);
    }
  }

  const memory = (): number => process.memoryUsage().rss / MIB;
  const ended = (socket: Socket): Promise<boolean> => until(() => socket.destroyed);
  const repeated = (bytes: Uint8Array, times: number): Uint8Array =>
    Buffer.concat(Array.from({ length: times }, () => bytes));

  it("that does not read costs bounded memory, and is dropped after the send hold time", async () => {
    const [socket, peer] = await establish({ sendHoldTime: 10, holdTime: 0 });
    socket.pause();
    const before = memory();
    const prefixes = Array.from(
      { length: 200_000 },
      (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}/32`,
    );
    // Each round is more than the sockets' buffers hold: what waits is kept once, as routes.
    for (let round = 0; round < 10; round++) {
      peer.announce(prefixes, { communities: [`65001:${round}`] });
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    expect(memory() - before).toBeLessThan(400);
    await until(() => peer.status().state !== "Established");
    expect(peer.status().lastError).toMatch(/ETIMEDOUT|send hold/i);
  });

  it("that opens connections and says nothing, or half of something, keeps none but its own busy", async () => {
    const peer = expectPeer();
    for (let count = 0; count < 100; count++) {
      const socket = await dial();
      if (count % 2 === 1) socket.write(OPEN.subarray(0, 1 + (count % 40)));
    }
    expect(peer.status().state).not.toBe("Established");
  });

  it("that sends OPENs without end is shown the door at the second one", async () => {
    const [socket] = await establish();
    await flood(socket, repeated(OPEN, 1_000), 100);
    await ended(socket);
  });

  it("that sends half a million KEEPALIVEs may do so", async () => {
    const [socket, peer] = await establish();
    const before = memory();
    await flood(socket, repeated(KEEPALIVE, 10_000), 50);
    await until(() => socket.writableLength === 0);
    expect(peer.status().state).toBe("Established");
    expect(memory() - before).toBeLessThan(200);
  });

  it("bgp 65: that announces and takes back a million routes costs no memory", async () => {
    const [socket, peer] = await establish();
    const before = memory();
    for (let round = 0; round < 40; round++) {
      const announced = Array.from(
        { length: 700 },
        (_, at) => `10.${round}.${at >> 8}.${at & 255}/32`,
      );
      const chunk = Buffer.concat([
        encodeMessage(update({ announced })),
        encodeMessage(update({ withdrawn: announced })),
      ]);
      await flood(socket, repeated(chunk, 40), 1);
    }
    const total = 40 * 40 * 700;
    await until(() => peer.status().received.announced === total);
    expect(peer.status()).toMatchObject({ state: "Established", received: { withdrawn: total } });
    expect(memory() - before).toBeLessThan(200);
  });

  it("that sends paths as long as a message holds is read", async () => {
    const [socket, peer] = await establish();
    const ases = Array.from({ length: 250 }, (_, at) => at + 1);
    const asPath = Array.from({ length: 3 }, () => ({ kind: "sequence" as const, ases }));
    const long = update({ announced: ["10.0.0.0/8"] }, { asPath });
    await flood(socket, repeated(encodeMessage(long), 500), 4);
    await until(() => peer.status().received.announced === 2_000);
    expect(peer.status().state).toBe("Established");
  });

  it.each([
    ["no length at all", "0000 04"],
    ["less than a header", "0012 04"],
    ["a long KEEPALIVE", "0014 04 00"],
    ["more than a message may have", "ffff 02"],
    ["an unknown type", "0013 63"],
    ["no marker", ""],
  ])("that says %s is told so and dropped, however often", async (_what, rest) => {
    expectPeer({ retryTime: 0.1, maxRetryTime: 0.2 });
    const bytes = fromHex(rest === "" ? "00".repeat(19) : MARKER + rest);
    for (let count = 0; count < 5; count++) {
      const socket = await dial();
      socket.resume();
      socket.write(OPEN);
      socket.write(bytes);
      await ended(socket);
    }
  });

  it("that comes and goes as fast as it can", async () => {
    expectPeer({ retryTime: 0.1, maxRetryTime: 0.2 });
    for (let count = 0; count < 100; count++) {
      const socket = await dial();
      socket.write(OPEN);
      socket.write(KEEPALIVE);
      if (count % 3 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
  });
});

function update(routes: Partial<Update>, more: Update["attributes"] = {}): Update {
  const attributes = routes.announced
    ? {
        origin: "igp" as const,
        asPath: [{ kind: "sequence" as const, ases: [65_002] }],
        nextHop: HOSTILE,
        ...more,
      }
    : {};
  return { type: "update", withdrawn: [], announced: [], faults: [], ...routes, attributes };
}
