import { readdir, readFile, readlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heardByGroup } from "../hack/faults/wire";
import { killGroup } from "../hack/lab/run";
import { delivered, request } from "../hack/probe/request";
import { probeDuring } from "../hack/probe/index";
import type { Outage } from "../hack/probe/outage";
import { streamsDuring } from "../hack/probe/streams";
import { answerOf, applyPool, applyWeb, deletePool, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster, KubeObject } from "./support";
import { cluster } from "./support";

const pool = { name: "announce", addresses: ["172.30.0.160-172.30.0.169", "fd00:30::160/124"] };
const app = "announced";
/** p99 is to be 500 ms; on a machine that other tests share, the client is late as well. */
const POWER_CUT_LIMIT_MS = 1000;
const bothFamilies = { ipFamilyPolicy: "RequireDualStack" };

describe("the announcers", () => {
  let c: Cluster;
  let v4: string;
  let v6: string;

  beforeAll(async () => {
    c = await cluster();
    await applyPool(c, pool);
    await applyWeb(c, app, 3);
    await c.apply([serviceFor(app, app, bothFamilies)]);
    const addresses = await statusAddresses(c, app);
    v4 = addresses.find(address => !address.includes(":"))!;
    v6 = addresses.find(address => address.includes(":"))!;
    await delivered(c.lab, c.lab.nodes, addresses);
    for (const address of addresses) await answerOf(c, "client", address);
  });

  afterAll(async () => {
    await c.ok(["delete", "service", app, "local", "short", "orphan", "--ignore-not-found"]);
    await c.ok(["delete", "deployment", app, "--ignore-not-found"]);
    await deletePool(c, pool.name);
  });

  it("metallb 167: make both families answer from outside, from every node, and from a pod", async () => {
    const [pod] = (await webPods()).map(({ metadata }) => `pod/default/${metadata.name}`);
    for (const host of ["client", ...c.lab.nodes, pod!]) {
      await expect(answerOf(c, host, v4)).resolves.toContain(`pod=${app}-`);
      await expect(answerOf(c, host, v6)).resolves.toContain(`pod=${app}-`);
    }
  });

  it("metallb 167: with externalTrafficPolicy Local, show the server the client's address", async () => {
    const spec = { ...bothFamilies, externalTrafficPolicy: "Local" };
    await c.apply([serviceFor("local", app, spec)]);
    const seen = ["172.30.0.200", "fd00:30::200"];
    for (const address of await statusAddresses(c, "local")) {
      const body = await answerOf(c, "client", address);
      expect(seen).toContain(/client=(\S+)/.exec(body)?.[1]);
      expect(body).toContain(`node=${await ownerOf(address)}`);
    }
  });

  it("metallb 167: say who answers: VirtualIP, ServiceL2Status and the kernels agree", async () => {
    const owner = await ownerOf(v4);
    const vip = await c.get("vip", v4);
    expect(vip?.status.intendedOwner).toMatchObject({ node: owner });
    const statuses = await c.waitFor("the ServiceL2Status", async () => {
      const list = await c.get("servicel2statuses", "-n", "metallb-system");
      const ours = (list?.items ?? []).filter(({ status }) => status?.serviceName === app);
      return ours.length > 0 && ours;
    });
    expect(new Set(statuses.map(({ status }) => status.node as string))).toEqual(
      new Set([owner, await ownerOf(v6)]),
    );
    for (const node of c.lab.nodes) {
      expect((await proxied(node)).includes(v4), node).toBe(node === owner);
    }
  });

  it("say on the Service whether it is announced, and if not, why", async () => {
    const said = async (name: string): Promise<Record<string, unknown> | undefined> => {
      const service = await c.get("service", name);
      const all = (service?.status?.conditions ?? []) as Record<string, unknown>[];
      return all.find(({ type }) => type === "Announced");
    };
    await c.waitFor("the condition Announced", async () => (await said(app))?.status === "True");
    expect(await said(app)).toMatchObject({
      reason: "Layer2",
      message: `A node answers for ${v4} and ${v6}`,
    });

    const name = "unannounced";
    const spec = { addresses: ["172.30.0.170/31"], autoAssign: false };
    const metadata = { name, namespace: "metallb-system" };
    await c.apply([{ apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", metadata, spec }]);
    const annotations = { "metallb.io/address-pool": name };
    await c.apply([serviceFor(name, app, {}, annotations)]);
    await c.waitFor("the condition to say why", async () => (await said(name))?.status === "False");
    const message = `172.30.0.170: no L2Advertisement announces pool ${name} for this Service: create one, or check its serviceSelectors`;
    expect(await said(name)).toMatchObject({ reason: "NoMatchingAdvertisement", message });
    await c.waitFor("the event", async () => {
      const field = `involvedObject.name=${name},reason=NotAnnounced`;
      const events = (await c.get("events", "--field-selector", field))?.items ?? [];
      return events.some(item => (item as unknown as { message: string }).message === message);
    });
    await applyPool(c, { name, addresses: spec.addresses });
    await c.waitFor("the announcement", async () => (await said(name))?.status === "True");
    // Who is no LoadBalancer any more is said nothing of.
    await c.ok(["patch", "service", name, "--type=merge", "-p", '{"spec":{"type":"ClusterIP"}}']);
    await c.waitFor("the condition to go", async () => (await said(name)) === undefined);
    await c.ok(["delete", "service", name]);
    await deletePool(c, name);
  });

  it("killed with -9, leave traffic flowing and the entries in place; the restart adopts them", async () => {
    const owner = await ownerOf(v4);
    const before = await announcerOn(owner);
    const lastMove = (await c.get("vip", v4))?.status.lastMove as object;
    const seen = await probeDuring(c.lab, { address: v4, until: "limit", limitMs: 10_000 }, () =>
      killAnnouncer(owner),
    );
    const first = restartsOf(before);
    const after = await c.waitFor("the container to be started again", async () => {
      const pod = await announcerOn(owner);
      return restartsOf(pod) > first && isReady(pod) && pod;
    });
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(seen.attempts).toBeGreaterThan(100);
    // Its kernel answers when it is asked, so nobody takes the address from it.
    expect(seen.failed).toBe(0);
    const log = await c.ok(["-n", "metallb-system", "logs", after.metadata.name]);
    const adopted = log.split("\n").find(line => line.includes("adopted what"));
    expect(adopted).toContain(v4);
    expect(await proxied(owner)).toContain(v4);
    expect(await ownerOf(v4)).toBe(owner);
    expect((await c.get("vip", v4))?.status.lastMove).toEqual(lastMove);
  });

  it("restarted by kubectl rollout restart, hand over without a failed or broken connection", async () => {
    let seen: Outage | undefined;
    const streams = await streamsDuring(c.lab, [v4, v6], async () => {
      seen = await probeDuring(
        c.lab,
        { address: v4, until: "limit", limitMs: 45_000 },
        async () => {
          await c.ok(["-n", "metallb-system", "rollout", "restart", "daemonset/ancho-announcer"]);
          const status = ["rollout", "status", "daemonset/ancho-announcer", "--timeout=120s"];
          await c.ok(["-n", "metallb-system", ...status]);
        },
      );
    });
    expect(seen!.attempts).toBeGreaterThan(1000);
    expect(seen).toMatchObject({ failed: 0, failures: [] });
    expect(streams.filter(({ broken }) => broken !== undefined)).toEqual([]);
    for (const { answers } of streams) expect(answers).toBeGreaterThan(500);
    // An announcer that has just started does not take other nodes for strangers: the first look is a second or two later.
    const field = `involvedObject.name=${app},reason=AddressConflict`;
    expect((await c.get("events", "--field-selector", field))?.items).toEqual([]);
  });

  it("started while the kernel has news all the time, are heard as ever", async () => {
    const [node = ""] = c.lab.nodes;
    const address = "192.0.2.1/32 dev lo";
    const news = `while :; do ip addr add ${address}; ip addr del ${address}; done`;
    const child = await c.lab.spawn(node, ["sh", "-c", news], "ignore");
    try {
      const { metadata } = await announcerOn(node);
      await c.ok(["-n", "metallb-system", "delete", "pod", metadata.name]);
      await c.ok([
        ...["-n", "metallb-system", "rollout", "status", "daemonset/ancho-announcer"],
        "--timeout=120s",
      ]);
    } finally {
      killGroup(child.pid!, "SIGTERM");
    }
    await c.lab.exec(node, ["sh", "-c", `ip addr del ${address} || true`]);
    // A node whose links the others do not know is given nothing by them, and by itself all that it has a right to.
    await c.waitFor("all nodes to be heard by the group", async () => {
      return (await heardByGroup(c.lab)).join() === c.lab.nodes.join();
    });
  });

  it("give up what is deleted: no answer, no entry, no route", async () => {
    await c.apply([serviceFor("short", app)]);
    const [address] = await statusAddresses(c, "short");
    await answerOf(c, "client", address!);
    await c.ok(["delete", "service", "short"]);
    await c.waitFor("the address to be given up", async () => {
      const traces = await Promise.all(c.lab.nodes.map(node => proxied(node)));
      return !traces.join("").includes(address!);
    });
    expect(await request(c.lab, "client", address!)).toBeUndefined();
    await c.waitFor("nobody to hold it", () => isFree(address!));
  });

  it("sign what they say with the key of the Secret memberlist, and refuse everything else", async () => {
    const secret = await c.get("secret", "memberlist", "-n", "metallb-system");
    const { secretkey } = (secret as { data?: Record<string, string> } | undefined)?.data ?? {};
    expect(Buffer.from(secretkey ?? "", "base64").length).toBeGreaterThanOrEqual(16);
    const [node] = c.lab.nodes;
    const before = await heartbeats(node!, "malformed");
    await c.lab.exec("client", [
      "bash",
      "-c",
      `echo rubbish > /dev/udp/${await nodeAddress(node!)}/7946`,
    ]);
    await c.waitFor("the forged packet to be counted", async () => {
      return (await heartbeats(node!, "malformed")) > before;
    });
    expect(await heartbeats(node!, "accepted")).toBeGreaterThan(0);
    // The first ones come before this node has the key.
    const unauthentic = await heartbeats(node!, "unauthentic");
    const accepted = await heartbeats(node!, "accepted");
    await c.waitFor("more heartbeats", async () => {
      return (await heartbeats(node!, "accepted")) > accepted + 50;
    });
    expect(await heartbeats(node!, "unauthentic")).toBe(unauthentic);
  });

  it("metallb 168: move an address when its node is not to be used, without a failed connection", async () => {
    const owner = await ownerOf(v4);
    const label = "node.kubernetes.io/exclude-from-external-load-balancers";
    try {
      const seen = await probeDuring(
        c.lab,
        { address: v4, until: "limit", limitMs: 5000 },
        async () => {
          await c.ok(["label", "node", owner, `${label}=`]);
        },
      );
      expect(seen.attempts).toBeGreaterThan(100);
      expect(seen.failed).toBe(0);
      await c.waitFor("another owner", async () => (await ownerOf(v4)) !== owner);
      await c.waitFor("the old owner to let go", async () => !(await proxied(owner)).includes(v4));
    } finally {
      await c.ok(["label", "node", owner, `${label}-`]);
    }
    // It may be used again, and takes nothing back.
    expect(await ownerOf(v4)).not.toBe(owner);
  });

  it("move an address within half a second when its owner loses power", async () => {
    const [address] = await statusAddresses(c, "local");
    const owner = await ownerOf(address!);
    try {
      const seen = await probeDuring(c.lab, { address: address! }, () => c.lab.cut(owner));
      console.log(`power cut: outage ${seen.outageMs} ms`);
      expect(seen.failed).toBeGreaterThan(0);
      expect(seen.outageMs).toBeLessThanOrEqual(POWER_CUT_LIMIT_MS);
      const next = await c.waitFor("a new owner", async () => {
        const now = await ownerOf(address!);
        return now !== owner && now;
      });
      expect(await answerOf(c, "client", address!)).toContain(`node=${next}`);
    } finally {
      await heal(owner);
    }
  });

  it("are told what is deleted also when the leading watcher's node loses power", async () => {
    await c.apply([serviceFor("orphan", app)]);
    const [address] = await statusAddresses(c, "orphan");
    const leader = await leadingWatcher();
    await c.lab.cut(leader.node);
    try {
      await c.ok(["delete", "service", "orphan"]);
      await c.waitFor("nobody to hold it", () => isFree(address!));
      expect((await leadingWatcher()).pod).not.toBe(leader.pod);
    } finally {
      await heal(leader.node);
    }
  });

  async function heal(node: string): Promise<void> {
    await c.lab.heal(node);
    await c.ok(["wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"]);
  }

  /** Does no Service hold the address any more? It may yet be kept for the one that did. */
  async function isFree(address: string): Promise<boolean> {
    const vip = await c.get("vip", address);
    return !vip || (vip.spec.holders as unknown[]).length === 0;
  }

  /** The node that the VirtualIP's status names. */
  async function ownerOf(address: string): Promise<string> {
    return c.waitFor(`an owner of ${address}`, async () => {
      const list = await c.get("vip");
      const vip = list?.items?.find(({ spec }) => spec.address === address);
      return vip?.status?.intendedOwner?.node as string | undefined;
    });
  }

  async function webPods(): Promise<readonly KubeObject[]> {
    return (await c.get("pods", "-l", `app=${app}`))?.items ?? [];
  }

  async function nodeAddress(node: string): Promise<string> {
    const object = await c.get("node", node);
    const all = (object?.status.addresses ?? []) as { type: string; address: string }[];
    return all.find(({ type, address }) => type === "InternalIP" && !address.includes(":"))!
      .address;
  }

  /** What the announcer of a node counted. */
  async function heartbeats(node: string, fate: string): Promise<number> {
    const url = `http://127.0.0.1:7473/metrics`;
    const { stdout } = await c.lab.exec(node, ["curl", "-s", url]);
    const name = `ancho_heartbeats_received_total\\{fate="${fate}"\\}`;
    return Number(new RegExp(`${name} (\\d+)`).exec(stdout)?.[1] ?? Number.NaN);
  }

  type ContainerStatus = { readonly restartCount: number; readonly ready: boolean };
  const containerOf = (pod: KubeObject) =>
    (pod.status as { containerStatuses?: ContainerStatus[] }).containerStatuses?.[0];
  const restartsOf = (pod: KubeObject): number => containerOf(pod)?.restartCount ?? 0;
  const isReady = (pod: KubeObject): boolean => containerOf(pod)?.ready ?? false;

  /** Proxy entries and routes of ours in a node's kernel. */
  async function proxied(node: string): Promise<string> {
    const shown = await Promise.all([
      c.lab.exec(node, ["ip", "neigh", "show", "proxy"]),
      c.lab.exec(node, ["ip", "-6", "neigh", "show", "proxy"]),
      c.lab.exec(node, ["ip", "route", "show", "dev", "ancho0"]),
    ]);
    return shown.map(({ stdout }) => stdout).join("");
  }

  async function announcerOn(node: string): Promise<KubeObject> {
    const list = await c.get("pods", "-n", "metallb-system", "-l", "component=announcer");
    const pod = list?.items?.find(({ spec }) => spec.nodeName === node);
    if (!pod) throw new Error(`no announcer on ${node}`);
    return pod;
  }

  /** SIGKILL to the announcer's process on a node; it shares the node's network namespace. */
  async function killAnnouncer(node: string): Promise<void> {
    const { stdout } = await c.lab.exec(node, ["readlink", "/proc/self/ns/net"]);
    for (const pid of (await readdir("/proc")).filter(name => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (!command.includes("announcer.js")) continue;
      if ((await readlink(`/proc/${pid}/ns/net`)) !== stdout.trim()) continue;
      process.kill(Number(pid), "SIGKILL");
      return;
    }
    throw new Error(`no announcer among the processes of ${node}`);
  }

  async function leadingWatcher(): Promise<{ readonly pod: string; readonly node: string }> {
    const lease = await c.get("lease", "ancho-reconciler", "-n", "metallb-system");
    const [pod = ""] = (lease?.spec.holderIdentity as string).split("_");
    const object = await c.get("pod", pod, "-n", "pepr-system");
    return { pod, node: object?.spec.nodeName as string };
  }
});
