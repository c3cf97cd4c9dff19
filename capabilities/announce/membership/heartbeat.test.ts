import { createSocket } from "node:dgram";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startHeartbeat } from "./heartbeat";
import type { HeartbeatPeer } from "./heartbeat";
import type { Membership, MembershipChange } from "./membership";
import { decodeHeartbeat, encodeHeartbeat } from "./packet";

const running: Membership[] = [];
const PORT = 17946;

async function start(node: string, port: number, names: readonly string[]) {
  // Port 17946 at this loopback address is nobody's: what is sent there is lost.
  const peers: HeartbeatPeer[] = names.map(name => ({ node: name, addresses: ["127.0.0.3"] }));
  const member = await startHeartbeat({
    node,
    port,
    listen: { udp4: "127.0.0.1", udp6: "::1" },
    intervalMs: 20,
    missed: 5,
    peers: () => peers,
    now: () => performance.now(),
    bootId: BigInt(Date.now()),
    log: { warn: () => undefined },
  });
  running.push(member);
  return { member, peers };
}

function say(port: number, packet: Buffer): Promise<void> {
  const socket = createSocket("udp4");
  return new Promise(resolve => {
    socket.send(packet, port, "127.0.0.1", () => {
      socket.close(() => {
        resolve();
      });
    });
  });
}

afterEach(async () => {
  for (const member of running.splice(0)) await member.stop();
});

describe("startHeartbeat", () => {
  it("counts itself only once it is active", async () => {
    const { member } = await start("a", PORT, []);
    expect([...member.alive()]).toEqual([]);
    member.activate();
    expect([...member.alive()]).toEqual(["a"]);
  });

  it("hears an active peer, loses it when silent, and is not disturbed by rubbish", async () => {
    const { member } = await start("a", PORT, ["b"]);
    const changes: MembershipChange[] = [];
    member.onChange(change => changes.push(change));
    await say(PORT, Buffer.from("rubbish"));
    const beat = { node: "b", phase: "active", bootId: 1n, sequence: 1n } as const;
    await say(PORT, encodeHeartbeat(beat));
    await vi.waitFor(() => {
      expect(changes).toContainEqual({ joined: ["b"], left: [] });
    });
    await vi.waitFor(() => {
      expect(changes).toContainEqual({ joined: [], left: [{ node: "b", cause: "silent" }] });
    });
    expect([...member.alive()]).toEqual([]);
  });

  it("says good-bye when it leaves", async () => {
    const heard: string[] = [];
    const socket = createSocket("udp4");
    await new Promise<void>(resolve => socket.bind(PORT, "127.0.0.2", resolve));
    socket.on("message", packet => heard.push(decodeHeartbeat(packet)?.phase ?? "?"));
    const { member, peers } = await start("a", PORT, []);
    peers.push({ node: "b", addresses: ["127.0.0.2"] });
    member.activate();
    await vi.waitFor(() => {
      expect(heard).toContain("active");
    });
    await member.leave();
    await vi.waitFor(() => {
      expect(heard.filter(phase => phase === "leaving").length).toBeGreaterThanOrEqual(3);
    });
    await new Promise<void>(resolve =>
      socket.close(() => {
        resolve();
      }),
    );
  });

  it("names the port and the flag when the port is taken", async () => {
    await start("a", PORT, []);
    await expect(start("b", PORT, [])).rejects.toThrow("--heartbeat-port");
  });
});
