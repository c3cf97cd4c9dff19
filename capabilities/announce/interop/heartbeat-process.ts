import { createInterface } from "node:readline";
import { deriveKey } from "../membership/keyring";
import type { Claim, HeartbeatLink, HeartbeatPeer, Key, Phase } from "../membership/membership";
import { startHeartbeatThread } from "../membership/thread";

/**
 * A node's heartbeat without its announcer, run by the interop tests in a network namespace: reads one JSON
 * command per line, writes one JSON line for every change of the members.
 */
export type Command =
  | { readonly do: "peers"; readonly peers: readonly HeartbeatPeer[] }
  /** Keys by the byte that their secret is made of; the first one signs. */
  | { readonly do: "keys"; readonly keys: readonly number[] }
  | { readonly do: "phase"; readonly phase: Phase }
  | { readonly do: "links"; readonly links: readonly HeartbeatLink[] }
  | { readonly do: "claims"; readonly claims: readonly Claim[] }
  | { readonly do: "count" };

const [node = "", interval = ""] = process.argv.slice(2);
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const heartbeat = await startHeartbeatThread({
  node,
  port: 7946,
  intervalMs: Number(interval),
  warn: warning => {
    say({ warning });
  },
});
heartbeat.onChange(members => {
  say({ members });
});

function obey(command: Command): void {
  switch (command.do) {
    case "peers":
      heartbeat.setPeers(command.peers);
      return;
    case "keys": {
      const accept = command.keys.map(byte => deriveKey(Buffer.alloc(32, byte)) as Key);
      const [sign] = accept;
      if (sign) heartbeat.setKeys({ sign, accept });
      return;
    }
    case "phase":
      heartbeat.setPhase(command.phase);
      return;
    case "links":
      heartbeat.setLinks(command.links);
      return;
    case "claims":
      heartbeat.setClaims(command.claims);
      return;
    case "count":
      say({ counts: heartbeat.counts() });
      return;
  }
}

createInterface({ input: process.stdin })
  .on("line", line => {
    obey(JSON.parse(line) as Command);
  })
  .on("close", () => process.exit(0));
say({ ready: true });
