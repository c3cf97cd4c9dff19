/** Wireshark's dissector as a reader of BGP messages. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../process";
import { addressesIn } from "./plain";

export type Dissected = {
  readonly isMalformed: boolean;
  /** Values by field, in the order in which they are in the message. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
};

/**
 * What tshark finds in these fields of each message. AS numbers have four octets.
 *
 * @param names - of fields, after `bgp.`
 */
export async function dissect(
  messages: readonly string[],
  names: readonly string[],
): Promise<readonly Dissected[]> {
  const folder = await mkdtemp(join(tmpdir(), "tshark-"));
  try {
    const file = join(folder, "messages.pcap");
    await writeFile(file, captureOf(messages));
    const columns = ["_ws.malformed", ...names.map(name => `bgp.${name}`)];
    const text = await run([
      ...["tshark", "-n", "-r", file, "-o", "bgp.asn_len:4 octet", "-T", "fields"],
      ...["-E", "separator=/t", "-E", "aggregator=|", "-E", "occurrence=a"],
      ...columns.flatMap(column => ["-e", column]),
    ]);
    return text
      .split("\n")
      .slice(0, messages.length)
      .map(line => {
        const [malformed = "", ...cells] = line.split("\t");
        const values = (cell = ""): readonly string[] =>
          cell === "" ? [] : cell.split("|").map(addressesIn);
        const fields = Object.fromEntries(names.map((name, at) => [name, values(cells[at])]));
        return { isMalformed: malformed !== "", fields };
      });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const LINKTYPE_RAW = 101;
const IP_BYTES = 20;
const TCP_BYTES = 20;
const BGP_PORT = 179;
const FIRST_PORT = 1_024;
const PORTS = 60_000;

/** A pcap file: each message is the only segment of a connection of its own. */
function captureOf(messages: readonly string[]): Buffer {
  const head = Buffer.alloc(24);
  [0xa1b2c3d4, 0x0002_0004, 0, 0, 0xffff, LINKTYPE_RAW].forEach((word, at) =>
    head.writeUInt32BE(word, 4 * at),
  );
  return Buffer.concat([head, ...messages.flatMap(packetOf)]);
}

function packetOf(message: string, index: number): readonly Buffer[] {
  const data = Buffer.from(message, "hex");
  const length = IP_BYTES + TCP_BYTES + data.length;
  const record = Buffer.alloc(16);
  [index, 0, length, length].forEach((word, at) => record.writeUInt32BE(word, 4 * at));
  const headers = Buffer.alloc(IP_BYTES + TCP_BYTES);
  headers.writeUInt16BE(0x4500, 0);
  headers.writeUInt16BE(length, 2);
  // TTL 64, TCP, from 10.0.0.1 (or the next one, when ports are used up) to 10.255.0.1.
  headers.writeUInt16BE(0x4006, 8);
  headers.writeUInt32BE(0x0a00_0001 + Math.floor(index / PORTS), 12);
  headers.writeUInt32BE(0x0aff_0001, 16);
  headers.writeUInt16BE(FIRST_PORT + (index % PORTS), 20);
  headers.writeUInt16BE(BGP_PORT, 22);
  headers.writeUInt32BE(1, 24);
  // Five words of header, PSH and ACK, a window.
  headers.writeUInt32BE(0x5018_ffff, 32);
  return [record, headers, data];
}
