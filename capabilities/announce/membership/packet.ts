/**
 * What a node says of itself. starting: it runs but does not know the cluster's state yet and must not be
 * given addresses. active: it may own addresses. leaving: it lets go of all it owns.
 */
export type Phase = "starting" | "active" | "leaving";

/**
 * One heartbeat. `bootId` is the time at which the sender's process started, in ms since 1970, so that a
 * restarted sender counts as newer; `sequence` grows with every packet of one boot.
 */
export type Heartbeat = {
  readonly node: string;
  readonly phase: Phase;
  readonly bootId: bigint;
  readonly sequence: bigint;
};

const MAGIC = 0x414e4348; // "ANCH"
const VERSION = 1;
const HEADER_BYTES = 23;
const MAX_NAME_BYTES = 253;
const PHASES: readonly Phase[] = ["starting", "active", "leaving"];
/** A node's name is a DNS subdomain (RFC 1123), so ASCII and at most 253 bytes. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/** Longest packet that `decodeHeartbeat` accepts, in bytes. */
export const MAX_HEARTBEAT_BYTES = HEADER_BYTES + MAX_NAME_BYTES;

/**
 * Layout, big endian: magic(4) version(1) phase(1) bootId(8) sequence(8) nameLength(1) name.
 * Throws on a name that no Node object can have.
 */
export function encodeHeartbeat(heartbeat: Heartbeat): Buffer {
  const { node, phase, bootId, sequence } = heartbeat;
  if (!NAME.test(node) || node.length > MAX_NAME_BYTES) {
    throw new Error(`node name "${node}" is no DNS subdomain: set --node-name to the Node's name`);
  }
  const packet = Buffer.alloc(HEADER_BYTES + node.length);
  packet.writeUInt32BE(MAGIC, 0);
  packet.writeUInt8(VERSION, 4);
  packet.writeUInt8(PHASES.indexOf(phase), 5);
  packet.writeBigUInt64BE(bootId, 6);
  packet.writeBigUInt64BE(sequence, 14);
  packet.writeUInt8(node.length, 22);
  packet.write(node, HEADER_BYTES, "latin1");
  return packet;
}

/** Reads a packet from the network: undefined for anything that `encodeHeartbeat` cannot have made. */
export function decodeHeartbeat(packet: Buffer): Heartbeat | undefined {
  if (packet.length <= HEADER_BYTES || packet.length > MAX_HEARTBEAT_BYTES) return undefined;
  if (packet.readUInt32BE(0) !== MAGIC || packet.readUInt8(4) !== VERSION) return undefined;
  const phase = PHASES[packet.readUInt8(5)];
  const node = packet.toString("latin1", HEADER_BYTES);
  if (phase === undefined || packet.readUInt8(22) !== node.length || !NAME.test(node)) {
    return undefined;
  }
  return {
    node,
    phase,
    bootId: packet.readBigUInt64BE(6),
    sequence: packet.readBigUInt64BE(14),
  };
}
