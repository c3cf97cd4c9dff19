/**
 * The other end of every announcer: a process that says OPEN and KEEPALIVE, reads as fast as it can, and counts.
 * It keeps nothing and answers nothing, so that what is measured is the announcer.
 */
import { createServer } from "node:net";
import type { Socket } from "node:net";
import {
  encodeMessage,
  HEADER_LENGTH,
  keepalive,
  MessageType,
  readFrame,
} from "../../capabilities/bgp/index";
import type { Message } from "../../capabilities/bgp/index";
import { monotonicMs, receiverAs } from "./load";
import type { Load } from "./load";

/** What a receiver saw of one session. */
export type Seen = {
  readonly peer: string;
  /** From the announcer's first KEEPALIVE to the last of the prefixes, ms. */
  readonly ms: number;
  readonly updates: number;
  readonly octets: number;
};

export type ReceiverMessage =
  | { readonly type: "listening" }
  | { readonly type: "seen"; readonly seen: Seen }
  /** A prefix came or went after all were there. `at` is the machine's monotonic clock, ms. */
  | { readonly type: "change"; readonly prefix: string; readonly at: number };

function say(message: ReceiverMessage): void {
  process.send?.(message);
}

process.once("message", (load: Load) => {
  let waiting = load.peers.length;
  for (const peer of load.peers) {
    createServer({ noDelay: true }, socket => {
      serve(socket, peer, load.prefixes);
    }).listen(load.port, peer, () => {
      waiting -= 1;
      if (waiting === 0) say({ type: "listening" });
    });
  }
});

function serve(socket: Socket, peer: string, expected: number): void {
  let buffer: Uint8Array = new Uint8Array();
  let began = 0;
  let prefixes = 0;
  let updates = 0;
  let octets = 0;

  function take(type: number, body: Uint8Array): void {
    if (type === MessageType.Open) {
      socket.write(encodeMessage(openAs(peer)));
      socket.write(encodeMessage(keepalive));
    } else if (type === MessageType.Keepalive) {
      began ||= monotonicMs();
      socket.write(encodeMessage(keepalive));
    } else if (type === MessageType.Update) {
      const { nlri, withdrawn } = routesIn(body);
      if (prefixes >= expected) tellChanges(body, nlri, withdrawn);
      updates += 1;
      octets += HEADER_LENGTH + body.length;
      prefixes += nlri.count;
      if (prefixes === expected && nlri.count > 0) {
        say({ type: "seen", seen: { peer, ms: monotonicMs() - began, updates, octets } });
      }
    }
  }

  socket.on("error", () => undefined);
  socket.on("data", chunk => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    for (;;) {
      const frame = readFrame(buffer);
      if (!frame.ok) throw new Error(`${peer}: the announcer sends no BGP`);
      if (frame.value === undefined) return;
      const { type, body } = frame.value;
      buffer = buffer.subarray(HEADER_LENGTH + body.length);
      take(type, body);
    }
  });
}

const openAs = (routerId: string): Message => ({
  type: "open",
  myAs: receiverAs,
  holdTime: 90,
  identifier: routerId.split(".").reduce((sum, part) => sum * 256 + Number(part), 0),
  capabilities: [
    { kind: "multiprotocol", afi: 1, safi: 1 },
    { kind: "fourOctetAs", as: receiverAs },
  ],
});

/** Where a list of prefixes is in an UPDATE, and how many they are. */
type Stretch = { readonly from: number; readonly count: number };

function routesIn(body: Uint8Array): { readonly nlri: Stretch; readonly withdrawn: Stretch } {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = 2 + view.getUint16(0);
  const nlri = attributes + 2 + view.getUint16(attributes);
  return {
    withdrawn: { from: 2, count: countPrefixes(body, 2, attributes) },
    nlri: { from: nlri, count: countPrefixes(body, nlri, body.length) },
  };
}

function countPrefixes(body: Uint8Array, from: number, end: number): number {
  let count = 0;
  for (let at = from; at < end; at += 1 + (((body[at] ?? 0) + 7) >> 3)) count += 1;
  return count;
}

/** All that is announced here is a /32: a length and four octets each. */
function tellChanges(body: Uint8Array, ...stretches: readonly Stretch[]): void {
  const at = monotonicMs();
  for (const { from, count } of stretches) {
    for (let i = 0; i < count; i++) {
      const start = from + 5 * i;
      const prefix = `${body.subarray(start + 1, start + 5).join(".")}/32`;
      say({ type: "change", prefix, at });
    }
  }
}
