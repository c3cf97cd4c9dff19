/** Programs that read and write BGP messages without our codec. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../process";
import { inRepo } from "../../repo";
import { cachedFolder, pip } from "./cache";
import type { Plain } from "./plain";

export type Reader = {
  /** What it reads in each message, given in hexadecimal digits. */
  read(messages: readonly string[]): Promise<readonly Plain[]>;
  /** Random messages that it writes itself; equal seeds give equal ones. */
  write(count: number, seed: number): Promise<readonly string[]>;
};

const SCAPY = "2.8.0";

/** Python's Scapy, fetched at the first call. */
export async function scapy(): Promise<Reader> {
  const folder = await cachedFolder("scapy", SCAPY, to =>
    pip("install", "--target", to, `scapy==${SCAPY}`),
  );
  const program = inRepo("hack/interop/readers/scapy_reader.py");
  return readerOf(["python3", program], { PYTHONPATH: folder });
}

/** GoBGP's packet library, built at the first call. */
export async function gobgp(): Promise<Reader> {
  const program = inRepo(".cache/interop/gobgp-reader");
  const source = inRepo("hack/interop/readers/gobgp");
  await run(["go", "-C", source, "build", "-o", program, "."]);
  return readerOf([program]);
}

function readerOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Reader {
  return {
    read: async messages =>
      withFile(messages, async file => {
        const output = await run(["sh", "-c", 'exec "$@" <"$0"', file, ...argv, "read"], env);
        return linesOf(output).map(line => JSON.parse(line) as Plain);
      }),
    write: async (count, seed) =>
      linesOf(await run([...argv, "write", String(count), String(seed)], env)),
  };
}

/** A file with these lines, for as long as it is used. */
async function withFile<T>(
  lines: readonly string[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bgp-reader-"));
  try {
    const file = join(folder, "messages");
    await writeFile(file, `${lines.join("\n")}\n`);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const linesOf = (text: string): readonly string[] => text.split("\n").filter(line => line !== "");
