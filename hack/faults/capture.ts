import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab } from "../lab/lab";
import { killGroup, must } from "../lab/run";
import { waitFor } from "../wait";

/** A recording of the whole LAN, made on the switch. */
export type Capture = {
  /** Ends the recording; good also when it has ended. What is on the wire before this is called is in it. */
  stop(): Promise<void>;
  /**
   * What tshark reads in it: a row for each frame that its display filter lets through, with these of its
   * fields as columns; several values of one field are joined by commas.
   */
  read(filter: string, fields: readonly string[]): Promise<readonly (readonly string[])[]>;
  remove(): Promise<void>;
};

/** Records what the switch forwards. @param filter as tcpdump takes it */
export async function startCapture(lab: Lab, filter: string): Promise<Capture> {
  const folder = await mkdtemp(join(tmpdir(), "ancho-capture-"));
  const file = join(folder, "lan.pcap");
  const argv = ["tcpdump", "-i", "br0", "-n", "-U", "--immediate-mode", "-Z", "root", "-w", file];
  const child = await lab.spawn("sw", [...argv, filter], ["ignore", "ignore", "pipe"]);
  const exited = once(child, "exit");
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitFor("tcpdump to listen", () => Promise.resolve(said.includes("listening on")));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) killGroup(child.pid, "SIGTERM");
    await exited;
  };
  return {
    stop,
    read: async (display, fields) => {
      const columns = fields.flatMap(field => ["-e", field]);
      const text = await must([
        ...["tshark", "-n", "-r", file, "-Y", display, "-T", "fields"],
        ...["-E", "separator=|", ...columns],
      ]);
      return text
        .split("\n")
        .filter(line => line !== "")
        .map(line => line.split("|"));
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
