import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyWeb, nodeAddresses, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";
import { askOn, askOnce, startTor } from "./tor";
import type { Tor } from "./tor";

const app = "tor";
const NAMESPACE = "metallb-system";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
const VIP = "198.51.100.64";
const DAEMONS = "app=ancho,component=announcer";

type StalePath = { readonly stale?: boolean; readonly peer: { readonly peerId: string } };

/** What FRR, its kernel and a client behind it see of the nodes is the evidence. */
describe("a top-of-rack router with FRR", () => {
  let c: Cluster;
  let tor: Tor;
  /** Addresses by name. */
  let nodes: ReadonlyMap<string, string>;

  const resource = (kind: string, spec: object, over: object = {}): object => ({
    apiVersion: `metallb.io/${kind === "BGPPeer" ? "v1beta2" : "v1beta1"}`,
    kind,
    metadata: { name: app, namespace: NAMESPACE, ...over },
    spec,
  });
  const peer = (spec: object = {}): object =>
    resource("BGPPeer", {
      ...{ myASN: 64500, dynamicASN: "external", peerAddress: tor.address, holdTime: "9s" },
      ...spec,
    });

  beforeAll(async () => {
    c = await cluster();
    nodes = await nodeAddresses(c);
    tor = await startTor(c, { as: 64501 });
    await applyWeb(c, app, 2);
    await c.apply([
      resource("IPAddressPool", { addresses: [`${VIP}/26`], autoAssign: false }),
      resource("BGPAdvertisement", { ipAddressPools: [app] }),
      peer(),
      serviceFor(app, app, {}, { "metallb.io/loadBalancerIPs": VIP }),
    ]);
    await statusAddresses(c, app);
  });

  afterAll(async () => {
    await c.ok(["delete", "service,deployment", "-l", `app=${app}`, "--ignore-not-found"]);
    await c.ok(["delete", "service,deployment", app, "--ignore-not-found"]);
    for (const kind of ["bgppeer", "bgpadvertisement", "ipaddresspool"]) {
      await c.ok(["delete", kind, app, "-n", NAMESPACE, "--ignore-not-found"]);
    }
    await tor.stop();
  });

  async function setPolicy(externalTrafficPolicy: "Cluster" | "Local"): Promise<void> {
    const patch = JSON.stringify({ spec: { externalTrafficPolicy } });
    await c.ok(["patch", "service", app, "--type=merge", "-p", patch]);
  }

  const hops = (wanted: readonly string[], timeoutMs?: number): Promise<void> =>
    tor.hopsAre(VIP, wanted, timeoutMs);

  const all = (): readonly string[] => [...nodes.values()];
  const updates = async (): Promise<readonly number[]> =>
    Promise.all(all().map(async node => (await tor.neighbor(node)).messageStats!.updatesRecv));
  const drops = async (): Promise<readonly unknown[]> =>
    Promise.all(all().map(async node => (await tor.neighbor(node)).connectionsDropped));
  const ask = (): Promise<string> => askOnce(tor, VIP, 2);

  async function restart(node: string): Promise<void> {
    await c.ok([
      ...["delete", "pod", "-n", NAMESPACE, "-l", DAEMONS],
      ...["--field-selector", `spec.nodeName=${node}`],
    ]);
  }

  it("metallb 180, 182: spreads over all nodes, whose dynamic AS number is another one", async () => {
    await hops(all());
    // Routes may be there before kube-proxy's rules on every node.
    await c.waitFor("an answer", async () => (await ask()).includes(`pod=${app}-`));
    expect(await tor.route(`${VIP}/32`)).toContain('"string":"64500"');
  });

  it("metallb 182: is refused every route that it offers, and metrics count them", async () => {
    for (const node of c.lab.nodes) {
      const { stdout } = await c.lab.exec(node, ["ip", "route", "show", "10.98.0.0/24"]);
      expect(stdout, node).toBe("");
    }
    const metrics = await c.lab.exec("client", [
      ...["curl", "-sS", `http://${all()[0]!}:7473/metrics`],
    ]);
    const title = `peer="${tor.address}:179",vrf="default"`;
    expect(metrics.stdout).toContain(`metallb_bgp_session_up{${title}} 1`);
    expect(metrics.stdout).toContain(`metallb_bgp_announced_prefixes_total{${title}} 1`);
    expect(metrics.stdout).toMatch(new RegExp(`metallb_bgp_updates_total\\{${title}\\} [1-9]`));
    expect(metrics.stdout).toContain(`ancho_bgp_received_prefixes_total{${title}} 1`);
    expect(metrics.stdout).toMatch(/metallb_speaker_announced\{.*protocol="bgp".*\} 1/);
  });

  it("hears of a Service that comes or goes in one UPDATE", async () => {
    const before = await updates();
    const other = "198.51.100.70";
    await c.apply([serviceFor(`${app}-2`, app, {}, { "metallb.io/loadBalancerIPs": other })]);
    await c.waitFor(
      "the second Service",
      async () => (await tor.nextHops(other)).size === nodes.size,
    );
    expect(await updates()).toEqual(before.map(count => count + 1));
    await c.ok(["delete", "service", `${app}-2`]);
    await c.waitFor("no second Service", async () => (await tor.nextHops(other)).size === 0);
    expect(await updates()).toEqual(before.map(count => count + 2));
  });

  it("metallb 181: hears of other attributes in one UPDATE for all, over the same sessions", async () => {
    const before = await updates();
    const down = await drops();
    const communities = ["64500:7"];
    await c.apply([resource("BGPAdvertisement", { ipAddressPools: [app], communities })]);
    await c.waitFor("the community", async () =>
      (await tor.route(`${VIP}/32`)).includes("64500:7"),
    );
    await c.waitFor(
      "every node",
      async () => String(await updates()) === String(before.map(count => count + 1)),
    );
    expect(await drops()).toEqual(down);
    await c.apply([resource("BGPAdvertisement", { ipAddressPools: [app] })]);
  });

  it("is asked to prefer others before a node with the exclude label takes its route back", async () => {
    const [name, address] = [...nodes][0]!;
    const others = all().filter(one => one !== address);
    try {
      await c.ok(["label", "node", name, `${EXCLUDE}=`]);
      await c.waitFor("GRACEFUL_SHUTDOWN", async () =>
        (await tor.route(`${VIP}/32`)).includes("graceful-shutdown"),
      );
      await hops(others);
      await c.waitFor("the withdrawal", async () => {
        return !(await tor.route(`${VIP}/32`)).includes("graceful-shutdown");
      });
    } finally {
      await c.ok(["label", "node", name, `${EXCLUDE}-`]);
    }
    await hops(all());
  });

  it("loses no request but what it deals anew when an announcer is stopped, and is told why", async () => {
    const client = askOn(tor, VIP);
    const [name, address] = [...nodes][1]!;
    const before = (await tor.neighbor(address)).connectionsDropped ?? 0;
    await restart(name);
    await c.waitFor("the session to have ended", async () => {
      const { connectionsDropped = 0 } = await tor.neighbor(address);
      return connectionsDropped > before || !(await tor.nextHops(VIP)).has(address);
    });
    await hops(all());
    const { asked, failures } = await client.end();
    expect(asked).toBeGreaterThan(20);
    // The router's hash deals flows anew when a route leaves and when it is back: the request that is under way then may
    // get to a node that does not know it, which resets it. There is one client, so there is one such request at a time.
    expect(failures.filter(({ answer }) => !answer.includes("reset by peer"))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(2);
    expect(await tor.frr.log("bgpd")).toMatch(/the announcer stops|Administrative Shutdown/);
  });

  it("metallb 180: keeps the routes of an announcer that restarts gracefully, and loses no packet", async () => {
    await c.ok(["delete", "bgppeer", app, "-n", NAMESPACE]);
    await hops([]);
    await c.apply([peer({ enableGracefulRestart: true })]);
    await hops(all());
    const client = askOn(tor, VIP);
    const [name, address] = [...nodes][1]!;
    const missing: string[] = [];
    const isStale = async (): Promise<boolean> => {
      const { paths } = JSON.parse(await tor.route(`${VIP}/32`)) as { paths: readonly StalePath[] };
      if (!(await tor.nextHops(VIP)).has(address)) missing.push(address);
      return paths.some(({ stale, peer: { peerId } }) => stale === true && peerId === address);
    };
    await restart(name);
    await c.waitFor("a route of a session that is away", isStale);
    await c.waitFor("the session that is back", async () => {
      const isBack = (await tor.neighbor(address)).bgpState === "Established";
      return !(await isStale()) && isBack;
    });
    const { asked, failures } = await client.end();
    expect(asked).toBeGreaterThan(20);
    expect({ failures, missing }).toEqual({ failures: [], missing: [] });
    await c.ok(["delete", "bgppeer", app, "-n", NAMESPACE]);
    await hops([]);
    await c.apply([peer()]);
    await hops(all());
  });

  it("metallb 180, 183: gets as many packets to a node with Local as it has endpoints", async () => {
    await c.apply([
      resource(
        "BGPAdvertisement",
        { ipAddressPools: [app] },
        { annotations: { "ancho.dev/weight": "endpoints" } },
      ),
    ]);
    await c.ok(["scale", "deployment", app, `--replicas=${nodes.size + 1}`]);
    await c.ok(["rollout", "status", `deployment/${app}`, "--timeout=60s"]);
    await setPolicy("Local");
    await c.waitFor("weights by endpoints", async () => {
      const pods = (await c.get("pods", "-l", `app=${app}`))?.items ?? [];
      const counts = new Map<string, number>();
      for (const { spec } of pods) {
        const at = nodes.get(spec.nodeName as string)!;
        counts.set(at, (counts.get(at) ?? 0) + 1);
      }
      const weights = await tor.nextHops(VIP);
      const [least = 0] = [...weights.values()].sort((a, b) => a - b);
      return (
        weights.size === counts.size &&
        Math.max(...counts.values()) > 1 &&
        [...counts].every(([at, count]) => {
          return Math.abs((weights.get(at) ?? 0) / least - count) < 0.1;
        })
      );
    });
    // kube-proxy follows the policy in its own time.
    await c.waitFor("the client's own address", async () =>
      (await ask()).includes("client=10.99.0.2"),
    );
    await setPolicy("Cluster");
  });

  it("metallb 182: finds out by the hold time that a node has lost its power", async () => {
    await c.apply([peer({ holdTime: "3s" })]);
    await tor.holdTimesAre(3_000, all());
    await hops(all());
    const [name, address] = [...nodes][2]!;
    await c.lab.cut(name);
    try {
      await hops(
        all().filter(one => one !== address),
        15_000,
      );
      // Until the node is known to be dead, the others send some connections to its pods.
      await c.waitFor("an answer", async () => (await ask()).includes("pod="));
    } finally {
      await c.lab.heal(name);
    }
    await hops(all());
  });

  it("is written of in events of its BGPPeer", async () => {
    await c.waitFor("events of sessions", async () => {
      const list = await c.get(
        "events",
        "-n",
        NAMESPACE,
        "--field-selector",
        "involvedObject.kind=BGPPeer",
      );
      const texts = JSON.stringify(list?.items ?? []);
      return texts.includes("BGPSessionUp") && texts.includes("BGPSessionDown");
    });
  });
});
