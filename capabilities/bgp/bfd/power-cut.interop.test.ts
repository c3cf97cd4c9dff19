import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startDaemon } from "../../../hack/interop/daemon";
import type { Daemon } from "../../../hack/interop/daemon";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { inRepo } from "../../../hack/repo";
import { waitFor } from "../../../hack/wait";
import type { PeerOptions } from "../index";

const TOR = "10.9.3.1";
const NODES = { n1: "10.9.3.11", n2: "10.9.3.12" } as const;
const VIP = "198.51.100.1";
/** Flows that ask all the time, each from another address, so that both nodes have some; how often they ask. */
const FLOWS = 12;
const PING_MS = 50;
const sourceOf = (flow: number): string => `10.9.3.${101 + flow}`;
const HOSTS = {
  tor: {
    addresses: [`${TOR}/24`, ...Array.from({ length: FLOWS }, (_, id) => `${sourceOf(id)}/24`)],
    sysctls: ["net.ipv4.ip_forward=1", "net.ipv4.fib_multipath_hash_policy=1"],
  },
  n1: { addresses: [`${NODES.n1}/24`, `${VIP}/32`] },
  n2: { addresses: [`${NODES.n2}/24`, `${VIP}/32`] },
};
const TOR_AS = 65_001;
const OUR_AS = 65_002;
const INTERVAL_MS = 100;
const BFD = { transmitInterval: INTERVAL_MS, receiveInterval: INTERVAL_MS };
const SPEAK = ["node", "--import", "tsx", inRepo("capabilities/bgp/cli/main.ts"), "speak"];
/** As a power cut: nothing comes or goes any more, and no link goes down at the router. */
const CUT = `table bridge t { chain c { type filter hook forward priority 0;
  iifname "n2" drop; oifname "n2" drop; }; }`;

/** Two nodes announce one address to a router with FRR and equal-cost paths; one of them loses its power. */
describe("a power cut behind a router", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  const speakers: Daemon[] = [];
  let folder: string;

  beforeAll(async () => {
    lan = await createLan("power-cut", HOSTS);
    folder = await mkdtemp(join(tmpdir(), "power-cut-"));
  });

  afterEach(async () => {
    await lan.run("sw", "nft", "flush", "ruleset");
    await Promise.all(speakers.splice(0).map(speaker => speaker.stop()));
    await frr.stop();
  });

  afterAll(async () => {
    await lan.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function announce(lines: string, options: Partial<PeerOptions>): Promise<void> {
    frr = await startFrr(configuration(lines), lan.inside("tor"));
    for (const host of ["n1", "n2"] as const) {
      const peer = { address: TOR, as: TOR_AS, ...options };
      const routes = [{ prefixes: [`${VIP}/32`] }];
      const file = join(folder, `${host}.json`);
      await writeFile(
        file,
        JSON.stringify({ as: OUR_AS, routerId: NODES[host], peers: [peer], routes }),
      );
      const argv = [...SPEAK, "--config", file];
      speakers.push(await startDaemon(argv, lan.inside(host)));
    }
    await hops(NODES.n1, NODES.n2);
  }

  /** Waits until the router's kernel sends packets for the address to these nodes and no others. */
  async function hops(...wanted: readonly string[]): Promise<void> {
    await waitFor(`next hops ${wanted.join(", ")}`, async () => {
      const routes = await lan.run("tor", "ip", "route", "show", `${VIP}/32`);
      const found = [...routes.matchAll(/via (\S+)/g)].map(([, hop]) => hop);
      return String(found.sort()) === String(wanted);
    });
  }

  /** Cuts a node off and returns the longest time for which a flow had no answer, ms. */
  async function cut(): Promise<number> {
    let isOver = false;
    const flow = async (id: number): Promise<number> => {
      let longest = 0;
      let since: number | undefined;
      while (!isOver) {
        const at = performance.now();
        const isAnswered = await lan
          .run("tor", "ping", "-c", "1", "-I", sourceOf(id), "-W", "0.2", VIP)
          .then(
            () => true,
            () => false,
          );
        if (isAnswered) since = undefined;
        else since ??= at;
        if (since !== undefined) longest = Math.max(longest, performance.now() - since);
        await new Promise(resolve => setTimeout(resolve, PING_MS));
      }
      return longest;
    };
    const flows = Array.from({ length: FLOWS }, (_, id) => flow(id));
    await lan.run("sw", "sh", "-c", `echo '${CUT}' | nft -f -`);
    await hops(NODES.n1);
    await new Promise(resolve => setTimeout(resolve, 1_000));
    isOver = true;
    return Math.max(...(await Promise.all(flows)));
  }

  it("bgp 84, 90: is found by BFD long before a hold time of 90 s is over", async () => {
    await announce(" neighbor nodes bfd profile fast\n", { bfd: BFD, holdTime: 90 });
    await waitFor("BFD", async () => {
      const all = await frr.json<readonly { readonly status: string }[]>("show bfd peers json");
      return all.length === 2 && all.every(({ status }) => status === "up");
    });
    // The router takes the route back within a minute, or this fails.
    const outage = await cut();
    expect(outage).toBeGreaterThan(0);
    tell("with BFD 3 x 100 ms", outage);
  });

  it("bgp 7: is found by the hold time where there is no BFD", async () => {
    await announce("", { holdTime: 9 });
    const outage = await cut();
    expect(outage).toBeGreaterThan(0);
    tell("with a hold time of 9 s", outage);
  });
});

/** The figures are for docs/bgp.md. */
function tell(how: string, outage: number): void {
  console.info(`a power cut ${how}: flows of the node had no answer for ${Math.round(outage)} ms`);
}

function configuration(lines: string): string {
  const neighbors = Object.values(NODES).map(node => ` neighbor ${node} peer-group nodes\n`);
  return `
bfd
 profile fast
  receive-interval ${INTERVAL_MS}
  transmit-interval ${INTERVAL_MS}
 exit
exit
router bgp ${TOR_AS}
 bgp router-id ${TOR}
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 neighbor nodes peer-group
 neighbor nodes remote-as ${OUR_AS}
 neighbor nodes timers connect 1
${lines}${neighbors.join("")} address-family ipv4 unicast
  maximum-paths 8
 exit-address-family
exit
`;
}
