import type { HeartbeatLink, Key } from "../../capabilities/announce/membership/membership";
import { deriveKey } from "../../capabilities/announce/membership/keyring";
import { startHeartbeatThread } from "../../capabilities/announce/membership/thread";
import { claimsOf, memberAddress, memberName } from "./plan";

/** Member 0, whose cost is measured: its heartbeats as the announcer runs them, and nothing else of it. */
const [port = 0, intervalMs = 0, members = 0] = process.argv.slice(2, 5).map(Number);
const [ipv4 = "", secret = ""] = process.argv.slice(5);
const key = deriveKey(Buffer.from(secret)) as Key;
const link: HeartbeatLink = { index: 2, name: "eth0", ipv4 };

const heartbeat = await startHeartbeatThread({
  ...{ node: memberName(0), port, intervalMs },
  warn: message => {
    console.error(message);
  },
});
heartbeat.setLinks([link]);
heartbeat.setKeys({ sign: key, accept: [key] });
heartbeat.setPeers(
  Array.from({ length: members - 1 }, (_, i) => {
    return { node: memberName(i + 1), addresses: [memberAddress(i + 1)] };
  }),
);
heartbeat.setPhase("active");
heartbeat.setClaims(claimsOf(0, members));
setInterval(() => {
  const heard = heartbeat.members().filter(({ health }) => health === "heard").length;
  console.log(`heard ${heard}`);
}, 1000);
