/** BGP messages that other people's routers once sent: the MRT files (RFC 6396) in mrtparse's source package. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../process";
import { cachedFolder, pip } from "./cache";

const MRTPARSE = "2.2.0";

/** Of BIRD, OpenBGPD and Quagga, each once, in hexadecimal digits; fetched at the first call. */
export async function capturedMessages(): Promise<readonly string[]> {
  const folder = await cachedFolder("mrtparse", MRTPARSE, async to => {
    const source = ["--no-deps", "--no-binary", ":all:", `mrtparse==${MRTPARSE}`];
    await pip("download", ...source, "-d", to);
    const archive = join(to, `mrtparse-${MRTPARSE}.tar.gz`);
    await run(["tar", "-xzf", archive, "-C", to, "--strip-components=1"]);
  });
  const samples = join(folder, "samples");
  const names = (await readdir(samples)).filter(name => name.endsWith("_bgp")).sort();
  const files = await Promise.all(names.map(name => readFile(join(samples, name))));
  return [...new Set(files.flatMap(messagesIn))];
}

const HEADER = 12;
const BGP4MP = 16;
/** Octets of an AS number, by the subtypes that hold a message as it was received (RFC 6396 section 4.4). */
const AS_OCTETS: Readonly<Record<number, number>> = { 1: 2, 4: 4 };
const ADDRESS_OCTETS: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

function messagesIn(file: Buffer): readonly string[] {
  const messages: string[] = [];
  for (let at = 0; at + HEADER <= file.length; ) {
    const end = at + HEADER + file.readUInt32BE(at + 8);
    const octets = AS_OCTETS[file.readUInt16BE(at + 6)];
    if (file.readUInt16BE(at + 4) === BGP4MP && octets !== undefined) {
      // Both AS numbers, the number of the interface, the family and both addresses come first.
      const familyAt = at + HEADER + 2 * octets + 2;
      const addresses = 2 * (ADDRESS_OCTETS[file.readUInt16BE(familyAt)] ?? 0);
      messages.push(file.toString("hex", familyAt + 2 + addresses, end));
    }
    at = end;
  }
  return messages;
}
