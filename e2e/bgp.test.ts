import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { request } from "../hack/probe/request";
import { startBird } from "../hack/interop/bird";
import type { Bird } from "../hack/interop/bird";
import { announcerObjects } from "../hack/install/announcer";
import { answerOf, applyWeb, nodeAddresses, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

const app = "bgp";
/** On no LAN: only a route leads there. */
const ADDRESSES = "198.51.100.0-198.51.100.15";
const NAMESPACE = "metallb-system";
const SPEAKERS = "metallb.io/component-type=speaker";
const PASSWORD = "o pen sesame";
const SERVICE = "metallb.io/service-name";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The client is a router that runs BIRD, with a session to every node; what BIRD says of itself is the evidence. */
describe("announcers that speak BGP", () => {
  let c: Cluster;
  let bird: Bird;
  let nodes: ReadonlyMap<string, string>;

  const resource = (kind: string, spec: object, version = "v1beta1"): object => ({
    apiVersion: `metallb.io/${version}`,
    kind,
    metadata: { name: app, namespace: NAMESPACE },
    spec,
  });

  beforeAll(async () => {
    c = await cluster();
    nodes = await nodeAddresses(c);
    const client = await clientAddress();
    bird = await startBird(configFor(client, [...nodes.values()]), argv =>
      c.lab.command(c.lab.client, argv),
    );
    await applyWeb(c, app, 2);
    await c.apply([
      resource("IPAddressPool", { addresses: [ADDRESSES], autoAssign: false }),
      resource("BGPAdvertisement", { ipAddressPools: [app] }),
    ]);
  });

  afterAll(async () => {
    await c.ok(["delete", "service,deployment", app, "--ignore-not-found"]);
    for (const kind of ["bgppeer", "secret", "bgpadvertisement", "ipaddresspool"]) {
      await c.ok(["delete", kind, app, "-n", NAMESPACE, "--ignore-not-found"]);
    }
    await bird.stop();
  });

  /** Nodes that the router has a route to the address over. */
  async function vias(address: string): Promise<readonly string[]> {
    const answer = await bird.ask(`show route where net = ${address}/32`);
    return [...nodes]
      .filter(([, ip]) => answer.includes(`via ${ip} on`))
      .map(([name]) => name)
      .sort();
  }

  async function routed(address: string, wanted: readonly string[]): Promise<void> {
    await c.waitFor(`routes to ${address} over ${wanted.join(", ") || "nobody"}`, async () => {
      const found = await vias(address);
      return String(found) === String([...wanted].sort());
    });
  }

  async function podNodes(): Promise<readonly string[]> {
    const pods = (await c.get("pods", "-l", `app=${app}`))?.items ?? [];
    return [...new Set(pods.map(({ spec }) => spec.nodeName as string))];
  }

  it("metallb 179: wait for the password that the router asks for, and say so", async () => {
    const spec = {
      ...{ myASN: 64500, peerASN: 64501, peerAddress: await clientAddress() },
      passwordSecret: { name: app },
    };
    await c.apply([resource("BGPPeer", spec, "v1beta2")]);
    const states = async (): Promise<readonly string[]> => {
      const list = await c.get("configurationstates", "-n", NAMESPACE, "-l", SPEAKERS);
      return (list?.items ?? []).map(({ status }) => String(status?.["errorSummary"]));
    };
    await c.waitFor("every node to miss the Secret", async () => {
      const sentence = `BGPPeer ${NAMESPACE}/${app}: spec.passwordSecret.name "${app}" is no Secret here`;
      const found = await states();
      return found.length === nodes.size && found.every(text => text.includes(sentence));
    });
    const metadata = { name: app, namespace: NAMESPACE };
    const stringData = { password: PASSWORD };
    const type = "kubernetes.io/basic-auth";
    await c.apply([{ apiVersion: "v1", kind: "Secret", metadata, type, stringData }]);
    await c.waitFor("a session with every node", async () => {
      const sessions = (await bird.ask("show protocols")).match(/Established/g) ?? [];
      return sessions.length === nodes.size;
    });
    expect(new Set(await states())).toEqual(new Set([""]));
    // An install that is applied again takes no right away.
    await c.apply(announcerObjects("unused").filter(({ kind }) => kind === "Role"));
    expect(await mayRead(`secret/${app}`)).toBe(true);
    expect(await mayRead("secret/memberlist")).toBe(true);
    expect(await mayRead("secret/another")).toBe(false);
    expect(await mayRead("secrets")).toBe(false);
  });

  it("metallb 180: give the router a route over every node, and traffic arrives", async () => {
    await c.apply([serviceFor(app, app, {}, { "metallb.io/address-pool": app })]);
    expect(await statusAddresses(c, app)).toEqual(["198.51.100.0"]);
    await routed("198.51.100.0", [...nodes.keys()]);
    expect(await answerOf(c, "client", "198.51.100.0")).toContain(`pod=${app}-`);
    const route = await bird.ask("show route 198.51.100.0/32 all");
    expect(route).toMatch(/BGP.as_path: 64500\n/);
  });

  it("metallb 181: change attributes without a new session", async () => {
    const since = async (): Promise<readonly string[]> =>
      (await bird.ask("show protocols")).split("\n").filter(line => line.includes("BGP"));
    const before = await since();
    const communities = ["64500:7", "large:64500:1:2"];
    await c.apply([resource("BGPAdvertisement", { ipAddressPools: [app], communities })]);
    await c.waitFor("the communities on all routes", async () => {
      const route = await bird.ask("show route 198.51.100.0/32 all");
      return route.split("(64500,7)").length === nodes.size + 1;
    });
    expect(await bird.ask("show route 198.51.100.0/32 all")).toContain("(64500, 1, 2)");
    expect(await since()).toEqual(before);
  });

  it("metallb 180: with externalTrafficPolicy Local, speak only where endpoints are", async () => {
    await c.ok(patch({ spec: { externalTrafficPolicy: "Local" } }));
    const local = await podNodes();
    expect(local.length).toBeLessThan(nodes.size);
    await routed("198.51.100.0", local);
    expect(await answerOf(c, "client", "198.51.100.0")).toContain(
      `client=${await clientAddress()}`,
    );
    await c.ok(patch({ spec: { externalTrafficPolicy: "Cluster" } }));
    await routed("198.51.100.0", [...nodes.keys()]);
  });

  it("take back what a node with the exclude label said", async () => {
    const [first = "", ...others] = [...nodes.keys()];
    try {
      await c.ok(["label", "node", first, `${EXCLUDE}=`]);
      await routed("198.51.100.0", others);
      expect(await answerOf(c, "client", "198.51.100.0")).toContain("pod=");
    } finally {
      await c.ok(["label", "node", first, `${EXCLUDE}-`]);
    }
    await routed("198.51.100.0", [...nodes.keys()]);
  });

  it("metallb 183: say on the Service, in ServiceBGPStatuses and on the VirtualIP who is told", async () => {
    const statuses = await c.get("servicebgpstatuses", "-n", NAMESPACE, "-l", `${SERVICE}=${app}`);
    const said = (statuses?.items ?? []).map(({ status }) => status as { node: string });
    expect(said.sort(byNode)).toEqual(
      [...nodes.keys()].sort().map(node => ({
        ...{ node, serviceName: app, serviceNamespace: "default" },
        ...{ peers: [app], waitingPeers: [] },
      })),
    );
    const vip = (await c.get("vip", "198.51.100.0"))!;
    expect(vip.status.protocol).toBe("bgp");
    const entries = vip.status.bgp as Record<string, { peers: readonly string[] }>;
    expect(Object.keys(entries).sort()).toEqual([...nodes.keys()].sort());
    expect(Object.values(entries).every(({ peers }) => String(peers) === app)).toBe(true);
    await c.waitFor("the condition Announced", async () => {
      const service = await c.get("service", app);
      const conditions = (service?.status?.conditions ?? []) as Record<string, string>[];
      const announced = conditions.find(({ type }) => type === "Announced");
      return announced?.["status"] === "True" && announced["reason"] === "BGP";
    });
  });

  it("answer no ARP for what goes by BGP", async () => {
    for (const node of c.lab.nodes) {
      const proxies = await c.lab.exec(node, ["ip", "neigh", "show", "proxy"]);
      expect(proxies.stdout, node).not.toContain("198.51.100.");
    }
  });

  it("take the route back when the Service goes, and end the sessions with the BGPPeer", async () => {
    await c.ok(["delete", "service", app]);
    await routed("198.51.100.0", []);
    expect(await request(c.lab, "client", "198.51.100.0")).toBeUndefined();
    await c.ok(["delete", "bgppeer", app, "-n", NAMESPACE]);
    await c.waitFor("the sessions to end", async () => {
      return !(await bird.ask("show protocols")).includes("Established");
    });
    expect(await bird.log()).toContain("no BGPPeer for this node any more");
    await c.waitFor("no right to read its Secret", async () => !(await mayRead(`secret/${app}`)));
  });

  /** Whether announcers have the right; the API server itself is asked. */
  async function mayRead(what: string): Promise<boolean> {
    const announcer = `system:serviceaccount:${NAMESPACE}:ancho-announcer`;
    const { stdout } = await c.kubectl([
      ...["auth", "can-i", "get", what, "-n", NAMESPACE, "--as", announcer],
    ]);
    return stdout.trim() === "yes";
  }

  function patch(change: object): readonly string[] {
    return ["patch", "service", app, "--type=merge", "-p", JSON.stringify(change)];
  }

  async function clientAddress(): Promise<string> {
    const { stdout } = await c.lab.exec("client", [
      "ip",
      "-4",
      "-j",
      "addr",
      "show",
      "scope",
      "global",
    ]);
    const links = JSON.parse(stdout) as { addr_info: { local: string }[] }[];
    return links[0]!.addr_info[0]!.local;
  }
});

function byNode(a: { node: string }, b: { node: string }): number {
  return a.node < b.node ? -1 : 1;
}

/** A router that spreads what it sends over all nodes that have the best route. */
function configFor(own: string, neighbors: readonly string[]): string {
  const sessions = neighbors.map(
    (address, i) => `
protocol bgp node${i} {
  local ${own} as 64501;
  neighbor ${address} as 64500;
  passive on;
  password "${PASSWORD}";
  ipv4 { import all; export none; };
}`,
  );
  return `
router id ${own};
protocol device {}
protocol kernel { merge paths on; ipv4 { import none; export all; }; }
${sessions.join("\n")}
`;
}
