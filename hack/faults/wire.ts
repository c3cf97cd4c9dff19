import { once } from "node:events";
import { hostOfMac } from "../lab/plan";
import type { Lab } from "../lab/lab";
import { killGroup } from "../lab/run";
import { waitFor } from "../wait";

/** A frame that says who has an address: when it came is not told, only from where. */
export type Answer = { readonly mac: string; readonly address: string };

const MAC = /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/;
const ARP_REPLY = /Reply (\S+) is-at/;
const ADVERTISEMENT = /neighbor advertisement, tgt is ([0-9a-f:]+)/;

/** The answers among the lines that `tcpdump -ne` prints: ARP replies and neighbor advertisements. */
export function answersIn(text: string): readonly Answer[] {
  return text.split("\n").flatMap(line => {
    const [mac] = MAC.exec(line) ?? [];
    const address = (ARP_REPLY.exec(line) ?? ADVERTISEMENT.exec(line))?.[1];
    return mac === undefined || address === undefined ? [] : [{ mac, address }];
  });
}

/**
 * Asks the LAN once for an address, as a host on it does, and listens for a moment: each answer is named by the
 * host of the lab that gave it, or by a stranger's MAC address. A host that has the address hears nothing of itself.
 */
export async function answerers(
  lab: Lab,
  address: string,
  from = "client",
): Promise<readonly string[]> {
  const isIPv6 = address.includes(":");
  const filter = isIPv6 ? "icmp6 and ip6[40] = 136" : "arp[6:2] = 2";
  const dump = ["tcpdump", "-i", "eth0", "-nel", "-Q", "in", "--immediate-mode", filter];
  const child = await lab.spawn(from, dump, ["ignore", "pipe", "pipe"]);
  const exited = once(child, "exit");
  const heard = { out: "", err: "" };
  child.stdout?.on("data", (chunk: Buffer) => (heard.out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (heard.err += chunk.toString()));
  try {
    await waitFor("tcpdump to listen", () => Promise.resolve(heard.err.includes("listening on")));
    const ask = isIPv6
      ? ["ndisc6", "-n", "-m", "-r", "1", "-w", "150", address, "eth0"]
      : ["arping", "-i", "eth0", "-c", "1", "-w", "0.15", address];
    await lab.exec(from, ask, { timeoutMs: 5000 });
  } finally {
    if (child.pid !== undefined) killGroup(child.pid, "SIGTERM");
    await exited;
  }
  return answersIn(heard.out)
    .filter(answer => answer.address === address)
    .map(({ mac }) => hostOf(lab, mac) ?? mac);
}

function hostOf({ nodes, lightNodes }: Lab, mac: string): string | undefined {
  const counts = { nodes: nodes.length - lightNodes.length, lightNodes: lightNodes.length };
  return hostOfMac(counts, mac);
}

/** Where heartbeats to all of a LAN go. */
const GROUP = "224.0.0.254";

/** The nodes whose heartbeats the client gets by the multicast group in a second. */
export async function heardByGroup(lab: Lab): Promise<readonly string[]> {
  const dump = ["tcpdump", "-i", "eth0", "-nel", "-Q", "in", "--immediate-mode"];
  const argv = ["timeout", "1", ...dump, "dst", "host", GROUP];
  const { stdout } = await lab.exec("client", argv);
  const senders = stdout.split("\n").map(line => hostOf(lab, MAC.exec(line)?.[0] ?? ""));
  return [...new Set(senders)].filter(host => host !== undefined).sort();
}
