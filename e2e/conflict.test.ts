import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, applyPool, applyWeb, deletePool, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

const pool = { name: "conflict", addresses: ["172.30.0.172-172.30.0.175"] };
const app = "contested";
const [TAKEN, FIRST, SECOND] = ["172.30.0.172", "172.30.0.173", "172.30.0.174"];

/** The stranger is the client of the lab, which takes addresses of the pool. */
describe("a host outside the cluster that has an address", () => {
  let c: Cluster;
  let mac: string;

  beforeAll(async () => {
    c = await cluster();
    mac = /link\/ether (\S+)/.exec(await onClient("ip", "link", "show", "eth0"))?.[1] ?? "";
    await applyPool(c, pool);
    await applyWeb(c, app, 2);
  });

  afterAll(async () => {
    for (const address of [TAKEN, FIRST]) {
      await c.lab.exec("client", ["ip", "addr", "del", `${address}/24`, "dev", "eth0"]);
    }
    await c.ok(["delete", "service", app, "later", "--ignore-not-found"]);
    await c.ok(["delete", "deployment", app, "--ignore-not-found"]);
    await deletePool(c, pool.name);
  });

  async function onClient(...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await c.lab.exec("client", [...argv]);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return stdout;
  }

  const take = (address: string): Promise<string> =>
    onClient("ip", "addr", "add", `${address}/24`, "dev", "eth0");

  async function conditionOf(name: string): Promise<Record<string, unknown> | undefined> {
    const service = await c.get("service", name);
    const all = (service?.status?.conditions ?? []) as Record<string, unknown>[];
    return all.find(({ type }) => type === "Announced");
  }

  it("is found before the address is announced: the Service gets another one", async () => {
    await take(TAKEN);
    await c.apply([serviceFor(app, app)]);
    await c.waitFor("another address", async () => {
      const [address] = await statusAddresses(c, app);
      return address === FIRST;
    });
    await answerOf(c, "client", FIRST);
    const vip = await c.waitFor("the VirtualIP to tell", async () => {
      const found = await c.get("vip", TAKEN);
      const isFree = found?.spec.holders.length === 0;
      return isFree && found.spec?.phase === "Conflict" && found;
    });
    expect(vip.status.conflict).toMatchObject({ mac, interface: "eth0", isInUse: false });
    expect(await c.ok(["get", "vip", TAKEN])).toContain("Conflict");
  });

  it("and who does answer is seen by another node, and shown", async () => {
    const vip = await c.waitFor("the observation", async () => {
      const found = await c.get("vip", FIRST);
      const owner = found?.status?.intendedOwner?.node as string | undefined;
      return owner !== undefined && found?.status?.seen === owner && found;
    });
    const { intendedOwner, observedOwner, lastMove } = vip.status as {
      intendedOwner: { node: string; mac: string };
      observedOwner: { node: string; mac: string; seenBy: string };
      lastMove: { answeredIn: string };
    };
    expect(observedOwner).toMatchObject({ node: intendedOwner.node, mac: intendedOwner.mac });
    expect(c.lab.nodes).toContain(observedOwner.seenBy);
    expect(observedOwner.seenBy).not.toBe(intendedOwner.node);
    expect(lastMove.answeredIn).toMatch(/^[0-9.]+(ms|s)$/);
    const [titles, row] = (await c.ok(["get", "vip", FIRST])).split("\n");
    expect(titles?.split(/\s+/)).toEqual(
      expect.arrayContaining(["ADDRESS", "POOL", "SERVICE", "PROTOCOL", "NODE", "SEEN", "AGE"]),
    );
    expect(row?.split(/\s+/).filter(word => word === intendedOwner.node)).toHaveLength(2);
  });

  it("is reported with its MAC address when it takes one that is in use", async () => {
    await c.waitFor("the announcement", async () => (await conditionOf(app))?.status === "True");
    await take(FIRST);
    const began = Date.now();
    // It looks for a neighbor, and so says to all who it is; that nobody answers takes it a second to find out.
    const spoke = c.lab.exec("client", ["ping", "-c", "1", "-W", "1", "-I", FIRST, "172.30.0.99"]);
    await c.waitFor("the VirtualIP to tell", async () => {
      return (await c.get("vip", FIRST))?.status?.conflict?.mac === mac;
    });
    console.log(`a stranger was reported ${Date.now() - began} ms after it spoke`);
    await spoke;
    expect((await c.get("vip", FIRST))?.status.conflict).toMatchObject({ isInUse: true });
    await c.waitFor("the condition", async () => (await conditionOf(app))?.status === "False");
    const said = await conditionOf(app);
    expect(said?.["reason"]).toBe("AddressConflict");
    expect(said?.["message"]).toContain(mac);
    await c.waitFor("the event", async () => {
      const field = `involvedObject.name=${app},reason=AddressConflict`;
      return ((await c.get("events", "--field-selector", field))?.items ?? []).length > 0;
    });
    // Moving it would be worse: what is in use stays.
    expect(await statusAddresses(c, app)).toEqual([FIRST]);
  });

  it("keeps the address from the next Service, until it is gone", async () => {
    await c.ok(["delete", "service", app]);
    await c.apply([serviceFor("later", app)]);
    expect(await statusAddresses(c, "later")).toEqual([SECOND]);
    await answerOf(c, "client", SECOND);
    for (const address of [TAKEN, FIRST]) {
      await onClient("ip", "addr", "del", `${address}/24`, "dev", "eth0");
    }
    // Three questions without an answer, ten seconds apart.
    const isOver = async (address: string): Promise<boolean> =>
      (await c.get("vip", address))?.status?.conflict === undefined;
    await c.waitFor(
      "the conflicts to end",
      async () => {
        return (await isOver(TAKEN)) && (await isOver(FIRST));
      },
      90_000,
    );
  });
});
