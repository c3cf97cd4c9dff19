import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { pageAt, pagesOf } from "../../capabilities/announce/membership/claim-page";
import { GROUPS, lookup } from "../../capabilities/announce/membership/group";
import { deriveKey } from "../../capabilities/announce/membership/keyring";
import type { Key } from "../../capabilities/announce/membership/membership";
import { openHeartbeat, sealHeartbeat } from "../../capabilities/announce/membership/packet";
import type { Heartbeat } from "../../capabilities/announce/membership/packet";
import { addressOf, claimsOf, memberAddress, memberName } from "./plan";

/**
 * All members but the one that is measured, in one process: each has an address, a boot and claims of its own, sends to
 * the group every interval and proves itself when it is asked. Arguments: port, interval, members, own address, secret.
 */
const [port = 0, intervalMs = 0, members = 0] = process.argv.slice(2, 5).map(Number);
const [from = "", secret = ""] = process.argv.slice(5);
const key = keyOf(secret);

type Member = {
  readonly base: Omit<Heartbeat, "sequence" | "page" | "isToGroup">;
  readonly pages: ReturnType<typeof pagesOf>;
  readonly socket: Socket;
  sequence: bigint;
};

const group = createSocket({ type: "udp4", lookup });
group.bind(0, from, () => {
  group.setMulticastInterface(from);
});

function packetOf(member: Member, over: Partial<Heartbeat>): Buffer {
  member.sequence += 1n;
  const page = pageAt(member.pages, Number(member.sequence));
  const heartbeat = { ...member.base, isToGroup: false, sequence: member.sequence, page, ...over };
  return sealHeartbeat(heartbeat, key);
}

function start(index: number): void {
  const socket = createSocket({ type: "udp4", lookup });
  const member: Member = {
    base: {
      ...{ node: memberName(index), phase: "active", bootId: randomBytes(8).readBigUInt64BE() },
      ...{ asks: 0n, answers: 0n, intervalMs, interfaces: ["eth0"] },
      ...{ isDeaf: false, wantsWord: false, wantsAll: false },
    },
    pages: pagesOf(1, claimsOf(index, members)),
    socket,
    sequence: 0n,
  };
  socket.on("message", (packet, sender) => {
    const heard = openHeartbeat(packet, [key]);
    if (typeof heard === "string") return;
    if (heard.asks === 0n && !heard.wantsWord && !heard.wantsAll) return;
    socket.send(packetOf(member, { answers: heard.asks }), port, sender.address);
  });
  socket.bind(port, memberAddress(index), () => {
    setTimeout(() => {
      setInterval(() => {
        group.send(packetOf(member, { isToGroup: true }), port, GROUPS.udp4);
      }, intervalMs);
    }, Math.random() * intervalMs);
  });
}

function keyOf(text: string): Key {
  const found = deriveKey(Buffer.from(text));
  if (!found) throw new Error("the secret is too short");
  return found;
}

for (let index = 1; index < members; index++) start(index);
console.log(`${members - 1} members, of which the first has ${addressOf(1)}`);
