import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyWeb, nodeAddresses, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";
import { askOn, startTor } from "./tor";
import type { Tor } from "./tor";

const app = "tor-bfd";
const NAMESPACE = "metallb-system";
const VIP = "198.51.100.128";
const ROUTER_AS = 64501;
const INTERVAL_MS = 200;
/** Clients of one connection per request, each of which the router sends to another node. */
const CLIENTS = 3;

/** BFD's part in a power cut, as FRR behaves: the routes move long before the hold time is over. */
describe("a top-of-rack router with FRR and BFD", () => {
  let c: Cluster;
  let tor: Tor;
  /** Addresses by name; the endpoint is on the first node. */
  let nodes: readonly (readonly [name: string, address: string])[];

  const resource = (kind: string, spec: object, version = "v1beta1"): object => ({
    apiVersion: `metallb.io/${version}`,
    kind,
    metadata: { name: app, namespace: NAMESPACE },
    spec,
  });
  const peer = (spec: object): object => {
    const always = { myASN: 64500, dynamicASN: "external", peerAddress: tor.address };
    return resource("BGPPeer", { ...always, ...spec }, "v1beta2");
  };

  beforeAll(async () => {
    c = await cluster();
    nodes = [...(await nodeAddresses(c))];
    tor = await startTor(c, { as: ROUTER_AS });
    await tor.frr.configure(
      `bfd\n profile fast\n  receive-interval ${INTERVAL_MS}\n  transmit-interval ${INTERVAL_MS}\n` +
        `exit\nexit\nrouter bgp ${ROUTER_AS}\n neighbor nodes bfd profile fast\n`,
    );
    await applyWeb(c, app, 1, nodes[0]![0]);
    await c.apply([
      resource("IPAddressPool", { addresses: [`${VIP}/26`], autoAssign: false }),
      resource("BGPAdvertisement", { ipAddressPools: [app] }),
      resource("BFDProfile", { receiveInterval: INTERVAL_MS, transmitInterval: INTERVAL_MS }),
      // Who finds out sooner has not waited for the hold time.
      peer({ holdTime: "90s", bfdProfile: app }),
      serviceFor(app, app, {}, { "metallb.io/loadBalancerIPs": VIP }),
    ]);
    await statusAddresses(c, app);
  });

  afterAll(async () => {
    await c.ok(["delete", "service,deployment", app, "--ignore-not-found"]);
    for (const kind of ["bgppeer", "bfdprofile", "bgpadvertisement", "ipaddresspool"]) {
      await c.ok(["delete", kind, app, "-n", NAMESPACE, "--ignore-not-found"]);
    }
    await tor.stop();
  });

  const addresses = (): readonly string[] => nodes.map(([, address]) => address);

  const hops = (wanted: readonly string[], timeoutMs?: number): Promise<void> =>
    tor.hopsAre(VIP, wanted, timeoutMs);

  /** Sessions of BFD that FRR has with the nodes, by address. */
  async function watched(): Promise<ReadonlyMap<string, { readonly status: string }>> {
    type Session = { readonly peer: string; readonly status: string };
    const all = await tor.frr.json<readonly Session[]>("show bfd peers json");
    return new Map(all.map(one => [one.peer, one]));
  }

  async function areWatched(): Promise<void> {
    await hops(addresses());
    await c.waitFor("BFD with every node", async () => {
      const sessions = await watched();
      return addresses().every(address => sessions.get(address)?.status === "up");
    });
  }

  /**
   * Cuts a node off that has no endpoint, so that only the router has to find out. Returns for how long requests
   * failed that began afterwards, ms.
   */
  async function outageOfCut(timeoutMs: number): Promise<number> {
    const [name, address] = nodes[2]!;
    const requests = askOn(tor, VIP, { clients: CLIENTS, timeoutSeconds: 0.3 });
    // Routes may be there before kube-proxy's rules on every node.
    await c.waitFor("answers", () => Promise.resolve(requests.inARow() > 20));
    const cutAt = Date.now();
    await c.lab.cut(name);
    try {
      await hops(
        addresses().filter(one => one !== address),
        timeoutMs,
      );
      await sleep(1_000);
    } finally {
      await c.lab.heal(name);
    }
    const { failures } = await requests.end();
    return Math.max(...failures.map(({ at }) => at - cutAt));
  }

  it("has BFD with every node, with the intervals of the BFDProfile", async () => {
    await areWatched();
    const metrics = await c.lab.exec("client", [
      ...["curl", "-sS", `http://${addresses()[0]!}:7473/metrics`],
    ]);
    expect(metrics.stdout).toContain(
      `metallb_bfd_session_up{peer="${tor.address}",vrf="default"} 1`,
    );
    const all = await tor.frr.json<readonly object[]>("show bfd peers json");
    expect(all).toHaveLength(nodes.length);
    for (const one of all) {
      expect(one).toMatchObject({
        "remote-detect-multiplier": 3,
        "remote-receive-interval": INTERVAL_MS,
        "remote-transmit-interval": INTERVAL_MS,
      });
    }
  });

  it("bgp 84, 90: sends nothing more to a node that lost its power, long before the hold time", async () => {
    await areWatched();
    const outage = await outageOfCut(45_000);
    expect(outage).toBeGreaterThan(0);
    console.info(`a power cut with BFD of 3 x ${INTERVAL_MS} ms: requests failed for ${outage} ms`);
    await areWatched();
  });

  it("bgp 7: waits for the hold time where there is no BFD", async () => {
    await c.apply([peer({ holdTime: "9s" })]);
    await tor.holdTimesAre(9_000, addresses());
    await hops(addresses());
    const outage = await outageOfCut(30_000);
    expect(outage).toBeGreaterThan(0);
    console.info(`a power cut with a hold time of 9 s: requests failed for ${outage} ms`);
    await hops(addresses());
  });
});
