import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, applyPool, applyWeb, deletePool, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

const pool = { name: "ipvs", addresses: ["172.30.0.176/32"] };
const app = "local-address";
const DEVICE = "kube-ipvs0";
/** The announcer looks at settings of the kernel every ten seconds, an observer at an address as often. */
const SLOW_MS = 90_000;

/**
 * What kube-proxy does in IPVS mode: the Services' addresses are local on every node, on a device of their own. It is a
 * bridge without ports here, since kernels of small machines lack dummies.
 */
describe("an address that is local on every node", () => {
  let c: Cluster;
  let address: string;

  beforeAll(async () => {
    c = await cluster();
    await applyPool(c, pool);
    await applyWeb(c, app, 2);
    await c.apply([serviceFor(app, app)]);
    [address = ""] = await statusAddresses(c, app);
    await answerOf(c, "client", address);
  });

  afterAll(async () => {
    await setStrictArp("0", "0");
    for (const node of c.lab.nodes) await c.lab.exec(node, ["ip", "link", "del", DEVICE]);
    await c.ok(["delete", "service", app, "--ignore-not-found"]);
    await c.ok(["delete", "deployment", app, "--ignore-not-found"]);
    await deletePool(c, pool.name);
  });

  async function onAll(...argv: readonly string[]): Promise<void> {
    for (const node of c.lab.nodes) {
      const { code, stderr } = await c.lab.exec(node, [...argv]);
      if (code !== 0) throw new Error(`${argv.join(" ")} on ${node}: ${stderr}`);
    }
  }

  /** As kube-proxy's `--ipvs-strict-arp` sets them. */
  async function setStrictArp(ignore: string, announce: string): Promise<void> {
    const all = "net.ipv4.conf.all";
    await onAll("sysctl", "-qw", `${all}.arp_ignore=${ignore}`, `${all}.arp_announce=${announce}`);
  }

  async function owner(): Promise<Record<string, string>> {
    return ((await c.get("vip", address))?.status?.intendedOwner ?? {}) as Record<string, string>;
  }

  async function reachable(): Promise<Record<string, string> | undefined> {
    const all = (await c.get("service", app))?.status?.conditions as Record<string, string>[];
    return all.find(({ type }) => type === "Reachable");
  }

  /** Hardware addresses that answer one question of the client. */
  async function answering(): Promise<readonly string[]> {
    const argv = ["arping", "-c", "1", "-w", "1", "-i", "eth0", address];
    const { stdout } = await c.lab.exec("client", argv);
    const macs = [...stdout.matchAll(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/gi)].map(([mac]) => mac);
    return [...new Set(macs.map(mac => mac.toLowerCase()))];
  }

  it("before: the kernel answers for its entry, and another node sees it: Reachable", async () => {
    await c.waitFor(
      "Reachable",
      async () => (await reachable())?.["reason"] === "OwnerAnswers",
      SLOW_MS,
    );
    expect(await reachable()).toMatchObject({
      status: "True",
      message: `Another node sees the owner answer for ${address}`,
    });
    expect((await owner())["mode"]).toBe("proxy");
  });

  it("without strictARP every node answers: an event of each says so, and Reachable that several do", async () => {
    await onAll("ip", "link", "add", DEVICE, "type", "bridge");
    await onAll("ip", "link", "set", DEVICE, "arp", "off", "up");
    await onAll("ip", "addr", "add", `${address}/32`, "dev", DEVICE);
    for (const node of c.lab.nodes) {
      const event = await c.waitFor(`the event of ${node}`, async () => {
        const field = `involvedObject.name=${node},reason=StrictARPOff`;
        return (await c.get("events", "-A", "--field-selector", field))?.items?.[0];
      });
      expect(event).toMatchObject({ type: "Warning" });
      expect((event as unknown as { message: string }).message).toContain("strictARP");
    }
    await c.waitFor("the owner's kernel to be named", async () => {
      return (await owner())["mode"] === "local";
    });
    await c.waitFor(
      "Reachable to tell",
      async () => (await reachable())?.["status"] === "False",
      SLOW_MS,
    );
    const { reason, message } = (await reachable()) ?? {};
    expect(reason).toBe("SeveralAnswer");
    expect(message).toContain(`and only ${(await owner())["node"]} is to`);
  });

  it("with strictARP the owner's announcer answers by packets, it alone, and the status says so", async () => {
    await setStrictArp("1", "2");
    await c.waitFor("packet mode", async () => (await owner())["mode"] === "packet", SLOW_MS);
    await c.lab.exec("client", ["ip", "neigh", "flush", "dev", "eth0"]);
    await expect(answerOf(c, "client", address)).resolves.toContain(`pod=${app}-`);
    expect(await answering()).toEqual([(await owner())["mac"]]);
    await c.waitFor(
      "Reachable to be True again",
      async () => (await reachable())?.["status"] === "True",
      SLOW_MS,
    );
  });

  it("and the kernel does again when the address is not local any more", async () => {
    await onAll("ip", "addr", "del", `${address}/32`, "dev", DEVICE);
    await c.waitFor("the kernel", async () => (await owner())["mode"] === "proxy", SLOW_MS);
    await expect(answerOf(c, "client", address)).resolves.toContain(`pod=${app}-`);
  });
});
