import { execFile } from "node:child_process";
import type { Family } from "../../config/address";
import { NO_FORWARDING } from "./forwarding";
import type { Forwarding } from "./forwarding";
import { FAMILIES, HELD, TABLE, readHeld, rulesetOf, tableOf, trialOf } from "./ruleset";

/** The kernel's packet filter as far as it hands connections over. Needs CAP_NET_ADMIN and the program nft. */
export type Filter = {
  /** The families for which the kernel can do it, and why not for the others, as sentences. */
  probe(): Promise<{ readonly families: readonly Family[]; readonly problems: readonly string[] }>;
  /** What an earlier run left: addresses and notes. */
  held(families: readonly Family[]): Promise<readonly (readonly [string, string])[]>;
  /** Makes it so, in one transaction. */
  apply(forwarding: Forwarding, families: readonly Family[]): Promise<void>;
};

/** It answers in some ms; an address waits for it no longer than this. */
const TIMEOUT_MS = 2000;
const LONGEST_OUTPUT = 1 << 26;
/** What nft says when there is no such table. */
const ABSENT = "No such file or directory";

/** @param program - how to start it, for example in another network namespace */
export function openFilter(program: readonly string[] = ["nft"]): Filter {
  const nft = (args: readonly string[], input = ""): Promise<string> =>
    run([...program, ...args], input);
  return {
    probe: async () => {
      const families: Family[] = [];
      const problems: string[] = [];
      for (const family of FAMILIES) {
        try {
          await nft(["-f", "-"], trialOf(family));
          families.push(family);
        } catch (error) {
          problems.push(`${family}: ${textOf(error)}`);
        }
      }
      return { families, problems };
    },
    held: async families => {
      const found = [];
      for (const family of families) {
        try {
          found.push(readHeld(await nft(["-j", "list", "set", tableOf(family), TABLE, HELD])));
        } catch (error) {
          if (!textOf(error).includes(ABSENT)) throw error;
        }
      }
      return found.flat();
    },
    apply: async (forwarding, families) => {
      await nft(["-f", "-"], rulesetOf(forwarding, families));
    },
  };
}

/** Removes what any run left in the kernel; returns what went wrong. */
export async function removeForwarding(filter = openFilter()): Promise<readonly string[]> {
  // Where it could not be made, it was not.
  const { families } = await filter.probe();
  try {
    await filter.apply(NO_FORWARDING, families);
    return [];
  } catch (error) {
    return [`handover of connections: ${textOf(error)}`];
  }
}

/** Runs nft; rejects with what it complained of. */
function run([program = "", ...args]: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: LONGEST_OUTPUT };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if ("code" in error && error.code === "ENOENT")
        reject(new Error(`the program ${program} is not there: install nftables`));
      else reject(new Error(stderr.trim().split("\n")[0] || error.message));
    });
    // It may end before it has read everything; why, its complaint says.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
