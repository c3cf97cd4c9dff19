import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { afterEach, describe, expect, it, vi } from "vitest";
import { beat as sampleBeat, pageOf } from "./fixtures";
import { startHeartbeat } from "./heartbeat";
import type { HeartbeatOptions } from "./heartbeat";
import { deriveKey } from "./keyring";
import type { Membership } from "./membership";
import { openHeartbeat, sealHeartbeat } from "./packet";
import type { Heartbeat } from "./packet";
import { startHeartbeatThread } from "./thread";

const KEY = deriveKey(Buffer.alloc(32, 1))!;
const FOREIGN = deriveKey(Buffer.alloc(32, 2))!;
const PORT = 17946;
const CLAIM = { address: "10.0.0.1", epoch: 1 };
const running: Membership[] = [];
const sockets: Socket[] = [];

type Begin = (options: HeartbeatOptions) => Promise<Membership>;

/** Node a at 127.0.0.1, or b at 127.0.0.2, who know each other. */
async function start(node: "a" | "b", begin: Begin = startHeartbeat): Promise<Membership> {
  const at = { a: "127.0.0.1", b: "127.0.0.2" };
  const member = await begin({
    node,
    port: PORT,
    listen: { udp4: at[node], udp6: "::1" },
    intervalMs: 20,
    warn: () => undefined,
  });
  running.push(member);
  const other = node === "a" ? "b" : "a";
  member.setPeers([{ node: other, addresses: [at[other]] }]);
  member.setKeys({ sign: KEY, accept: [KEY] });
  return member;
}

/** A socket in b's place, and what it hears. */
async function listenAsB(): Promise<{ readonly heard: Heartbeat[]; send(packet: Buffer): void }> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  const heard: Heartbeat[] = [];
  socket.on("message", packet => {
    const opened = openHeartbeat(packet, [KEY]);
    if (typeof opened !== "string") heard.push(opened);
  });
  await new Promise<void>(resolve => socket.bind(PORT, "127.0.0.2", resolve));
  return {
    heard,
    send: packet => {
      socket.send(packet, PORT, "127.0.0.1");
    },
  };
}

/** The nonce that a asks b; `say` is repeated until it does. */
function nonceFor({ heard }: { readonly heard: Heartbeat[] }, say: () => void): Promise<bigint> {
  return vi.waitFor(() => {
    say();
    const found = heard.find(({ asks }) => asks !== 0n);
    if (!found) throw new Error("b was not asked yet");
    return found.asks;
  });
}

const beat = (over: Partial<Heartbeat> = {}): Heartbeat =>
  sampleBeat({ node: "b", bootId: 5n, intervalMs: 20, page: pageOf([CLAIM]), ...over });

afterEach(async () => {
  for (const member of running.splice(0)) await member.stop();
  for (const socket of sockets.splice(0)) socket.close();
});

describe("startHeartbeat", () => {
  it("two nodes find each other, hear what the other one claims, and that it leaves", async () => {
    const a = await start("a");
    // IPv6's loopback address is one only, so the second node does without.
    const b = await startOnIpv4Only();
    b.setClaims([CLAIM]);
    b.setPhase("active");
    const of = { node: "b", health: "heard" };
    await vi.waitFor(() => {
      expect(a.members()).toEqual([{ ...of, phase: "active", claims: [CLAIM], interfaces: [] }]);
    });
    b.setPhase("leaving");
    await vi.waitFor(() => {
      expect(a.members()).toMatchObject([{ ...of, phase: "leaving" }]);
    });
  });

  async function startOnIpv4Only(): Promise<Membership> {
    const member = await startHeartbeat({
      node: "b",
      port: PORT,
      listen: { udp4: "127.0.0.2", udp6: "2001:db8::1" },
      intervalMs: 20,
      warn: () => undefined,
    });
    running.push(member);
    member.setPeers([{ node: "a", addresses: ["127.0.0.1"] }]);
    member.setKeys({ sign: KEY, accept: [KEY] });
    return member;
  }

  it("what is forged, wrongly keyed, replayed, strange or rubbish has no effect and is counted", async () => {
    const a = await start("a");
    const b = await listenAsB();
    b.send(Buffer.from("rubbish"));
    b.send(sealHeartbeat(beat(), FOREIGN));
    b.send(sealHeartbeat(beat({ node: "stranger" }), KEY));
    b.send(sealHeartbeat(beat(), KEY));
    await vi.waitFor(() => {
      expect(a.counts()).toMatchObject({ malformed: 1, unauthentic: 1, stranger: 1, unproven: 1 });
    });
    expect(a.members()).toEqual([]);
    const asks = await nonceFor(b, () => undefined);
    const answer = sealHeartbeat(beat({ sequence: 2n, answers: asks }), KEY);
    b.send(answer);
    b.send(answer);
    await vi.waitFor(() => {
      expect(a.counts()).toMatchObject({ accepted: 1, replayed: 1 });
    });
    expect(a.members()).toMatchObject([{ node: "b", claims: [CLAIM] }]);
    await vi.waitFor(() => {
      expect(a.members()).toMatchObject([{ node: "b", health: "silent" }]);
    });
  });

  it("says nothing without a key", async () => {
    const b = await listenAsB();
    const a = await startHeartbeat({
      node: "a",
      port: PORT,
      listen: { udp4: "127.0.0.1", udp6: "::1" },
      intervalMs: 20,
      warn: () => undefined,
    });
    running.push(a);
    a.setPeers([{ node: "b", addresses: ["127.0.0.2"] }]);
    a.setPhase("active");
    b.send(sealHeartbeat(beat(), KEY));
    await vi.waitFor(() => {
      expect(a.counts().unauthentic).toBe(1);
    });
    expect(b.heard).toEqual([]);
  });

  it("names the port and the flag when the port is taken", async () => {
    await start("a");
    await expect(start("a")).rejects.toThrow("--heartbeat-port");
  });
});

describe("startHeartbeatThread", () => {
  it("does all that the heartbeat does", async () => {
    const a = await start("a", startHeartbeatThread);
    const b = await listenAsB();
    a.setClaims([CLAIM]);
    const asks = await nonceFor(b, () => {
      b.send(sealHeartbeat(beat(), KEY));
    });
    b.send(sealHeartbeat(beat({ sequence: 2n, answers: asks }), KEY));
    await vi.waitFor(() => {
      expect(a.members()).toMatchObject([{ node: "b", claims: [CLAIM] }]);
      expect(b.heard.at(-1)?.page.bytes).toEqual(pageOf([CLAIM]).bytes);
    });
    await vi.waitFor(
      () => {
        expect(a.counts()).toMatchObject({ accepted: 1, replayed: 0 });
      },
      { timeout: 5000 },
    );
  });

  it("goes on while this thread is busy", async () => {
    const a = await start("a", startHeartbeatThread);
    const b = await listenAsB();
    const asks = await nonceFor(b, () => {
      b.send(sealHeartbeat(beat(), KEY));
    });
    b.send(sealHeartbeat(beat({ sequence: 2n, answers: asks, isDeaf: true }), KEY));
    await vi.waitFor(() => {
      expect(a.members()).toHaveLength(1);
    });
    const before = b.heard.length;
    // Nothing of this thread runs meanwhile; what the other one sends waits in the socket.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    await vi.waitFor(() => {
      expect(b.heard.length - before).toBeGreaterThan(10);
    });
  });

  it("rejects when the port is taken", async () => {
    await start("a", startHeartbeatThread);
    await expect(start("a", startHeartbeatThread)).rejects.toThrow("--heartbeat-port");
  });
});
