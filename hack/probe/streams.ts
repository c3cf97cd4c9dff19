import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Lab } from "../lab/lab";
import { inRepo } from "../repo";

/** What became of a long-lived connection on which a request followed every answer. */
export type Stream = {
  readonly address: string;
  readonly answers: number;
  /** The longest time between two answers, ms. */
  readonly longestMs: number;
  /** How it broke; absent for one that lives. */
  readonly broken?: string;
};

/** So long the connections are watched after the event, ms: lost packets are sent again before that. */
const LAST_ANSWER_MS = 3000;

/** Starting the client and a first answer take no longer, also on a busy machine, ms. */
const LIMIT_MS = 30_000;

/**
 * Keeps one connection to each address from the lab's client while something happens, and says what became of them.
 * The event begins when all have been answered; a while after it ended they must still be.
 */
export async function streamsDuring(
  lab: Lab,
  addresses: readonly string[],
  event: () => Promise<void>,
): Promise<readonly Stream[]> {
  const command = [process.execPath, "--import", "tsx", inRepo("hack/probe/streams-main.ts")];
  const targets = addresses.map(address => `--address=${address}`);
  const child = await lab.spawn("client", [...command, ...targets], ["pipe", "pipe", "inherit"]);
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const limit = delay(LIMIT_MS, undefined, { ref: false });
    const line = await Promise.race([lines.next(), limit]);
    if (line === undefined) throw new Error("the streams' client got no answers");
    if (line.done === true) throw new Error("the streams' client has ended");
    return line.value;
  };
  try {
    await next();
    await event();
    await delay(LAST_ANSWER_MS);
    child.stdin?.end();
    return JSON.parse(await next()) as readonly Stream[];
  } finally {
    child.kill("SIGKILL");
  }
}
