import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holdApiServer, releaseApiServer } from "../hack/faults/api";
import type { Capture } from "../hack/faults/capture";
import { startCapture } from "../hack/faults/capture";
import { answerers } from "../hack/faults/wire";
import { quietTask } from "../hack/lab/context";
import { ensurePackages } from "../hack/lab/packages";
import { preferNode } from "../hack/prefer";
import type { Stage } from "./failover-stage";
import { clearStage, oneOwner, owners, setStage } from "./failover-stage";
import { serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

const name = "wire";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
const QUESTIONS = 10;
/** Longer than any pause in a burst, which starts over when the old owner lets go. */
const PAUSE_MS = 1500;
/** To all: the kernel of the old owner, that still answers, answers this one too, but to the new owner alone. */
const GRATUITOUS = "arp.isgratuitous == 1 && eth.dst == ff:ff:ff:ff:ff:ff";
const UNSOLICITED = "icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0";
const [V4, V6] = ["172.30.0.134", "fd00:30::134"];
/** What tells the LAN where the addresses are. */
const TOLD = [
  `${GRATUITOUS} && arp.src.proto_ipv4 == ${V4}`,
  `${UNSOLICITED} && icmpv6.nd.na.target_address == ${V6}`,
];

/** What is on the LAN, as recorded on the switch and read by somebody else's program. */
describe("on the wire", () => {
  let c: Cluster;
  let stage: Stage;
  const captures: Capture[] = [];

  beforeAll(async () => {
    await ensurePackages(quietTask(), ["tshark"]);
    c = await cluster();
    stage = await setStage(c, name, [`${V4}/31`, `${V6}/127`]);
    expect(stage.addresses.toSorted()).toEqual([V4, V6]);
    await oneOwner(c, stage);
  });

  afterAll(async () => {
    for (const capture of captures) await capture.remove();
    await clearStage(c, name);
  });

  it("each request has one answer, from the owner's MAC address", async () => {
    const mac = await macOf(await oneOwner(c, stage));
    const capture = await record();
    for (let i = 0; i < QUESTIONS; i++) {
      await c.lab.exec("client", ["arping", "-i", "eth0", "-c", "1", "-w", "0.1", V4]);
      await c.lab.exec("client", ["ndisc6", "-n", "-m", "-r", "1", "-w", "100", V6, "eth0"]);
    }
    await capture.stop();
    const asked4 = await capture.read(
      `arp.opcode == 1 && !arp.isgratuitous && arp.dst.proto_ipv4 == ${V4}`,
      ["eth.src"],
    );
    const answers4 = await capture.read(
      `arp.opcode == 2 && !arp.isgratuitous && arp.src.proto_ipv4 == ${V4}`,
      [...["eth.src", "arp.src.hw_mac"]],
    );
    expect(asked4.length).toBeGreaterThanOrEqual(QUESTIONS);
    expect(answers4).toEqual(asked4.map(() => [mac, mac]));
    const target = "icmpv6.nd.ns.target_address";
    const asked6 = await capture.read(`icmpv6.type == 135 && ${target} == ${V6}`, ["eth.src"]);
    const answers6 = await capture.read(
      `icmpv6.type == 136 && icmpv6.nd.na.flag.s == 1 && icmpv6.nd.na.target_address == ${V6}`,
      ["eth.src", "ipv6.hlim", "icmpv6.checksum.status"],
    );
    expect(asked6.length).toBeGreaterThanOrEqual(QUESTIONS);
    expect(answers6).toEqual(asked6.map(() => [mac, "255", "1"]));
  });

  it("a takeover is told by gratuitous ARP and unsolicited advertisements that are well-formed", async () => {
    const owner = await oneOwner(c, stage);
    const capture = await record();
    try {
      await c.ok(["label", "node", owner, `${EXCLUDE}=`]);
      const next = await oneOwner(c, stage, node => node !== owner);
      const mac = await macOf(next);
      await burstsOf(next, capture);
      await capture.stop();
      const [told4 = "", told6 = ""] = TOLD;
      const fields4 = ["eth.src", "eth.dst", "arp.src.hw_mac", "arp.src.proto_ipv4"];
      for (const row of await capture.read(told4, fields4))
        expect(row).toEqual([mac, "ff:ff:ff:ff:ff:ff", mac, V4]);
      const fields6 = [
        ...["eth.src", "ipv6.dst", "ipv6.hlim", "icmpv6.checksum.status"],
        ...["icmpv6.nd.na.flag.o", "icmpv6.nd.na.flag.r", "icmpv6.opt.linkaddr"],
      ];
      for (const [src, dst, hops, checksum, override, , linkaddr] of await capture.read(
        told6,
        fields6,
      )) {
        expect([src, hops, checksum, linkaddr]).toEqual([mac, "255", "1", mac]);
        // Hosts are to take it over; routers that do not know the address are to learn it (RFC 9131).
        expect([
          ["ff02::1", "1"],
          ["ff02::1", "True"],
          ["ff02::2", "0"],
          ["ff02::2", "False"],
        ]).toContainEqual([dst, override]);
      }
      expect(await capture.read("_ws.malformed", ["frame.number"])).toEqual([]);
    } finally {
      await c.ok(["label", "node", owner, `${EXCLUDE}-`]);
    }
  });

  it("an old owner that learns late of its successor does not turn clients back", async () => {
    const next = await oneOwner(c, stage);
    const old = stage.eligible.find(node => node !== next)!;
    const first = await record();
    await preferNode(c.lab, name, old);
    await burstsOf(old, first);
    // It has the address by its own plan now, which prefers it.
    await oneOwner(c, stage, node => node === old);
    const capture = await record();
    await holdApiServer(c.lab, old);
    try {
      await preferNode(c.lab, name, next);
      await burstsOf(next, capture);
    } finally {
      await releaseApiServer(c.lab, old);
    }
    await oneOwner(c, stage, node => node === next);
    await capture.stop();
    const oldMac = await macOf(old);
    for (const told of await announcements(capture)) expect(told).not.toContain(oldMac);
    await preferNode(c.lab, name, undefined);
  });

  it("nobody answers for an address that nobody has", async () => {
    for (const address of ["172.30.0.135", "fd00:30::135"])
      expect(await answerers(c.lab, address), address).toEqual([]);
  });

  it("nobody answers on an interface that is not selected", async () => {
    // Pods are behind a bridge of their node that is no interface to announce on.
    const [pod] = (await c.get("pods", "-l", `app=${name}`))?.items ?? [];
    for (const address of stage.addresses)
      expect(await answerers(c.lab, address, `pod/default/${pod!.metadata.name}`)).toEqual([]);
    await interfaces(["nonesuch"]);
    try {
      await c.waitFor("nobody to answer", async () => (await owners(c, stage)).length === 0);
    } finally {
      await interfaces(null);
    }
    await oneOwner(c, stage);
  });

  it("nobody answers for a Service that was deleted", async () => {
    const pool = { "metallb.io/address-pool": name };
    await c.ok(["delete", "service", name]);
    await c.waitFor("nobody to answer", async () => (await owners(c, stage)).length === 0);
    await c.apply([serviceFor(name, name, { ipFamilyPolicy: "RequireDualStack" }, pool)]);
    expect((await statusAddresses(c, name)).toSorted()).toEqual(stage.addresses.toSorted());
    await oneOwner(c, stage);
  });

  async function record(): Promise<Capture> {
    const capture = await startCapture(c.lab, "arp or icmp6");
    captures.push(capture);
    return capture;
  }

  /** The MAC addresses that announced the stage's addresses: IPv4, IPv6. */
  async function announcements(capture: Capture): Promise<readonly (readonly string[])[]> {
    const read = async (filter: string): Promise<readonly string[]> =>
      (await capture.read(filter, ["eth.src"])).map(([source = ""]) => source);
    return Promise.all(TOLD.map(read));
  }

  /** Waits until a node has announced both as often as after a takeover, and no more comes. */
  async function burstsOf(node: string, capture: Capture): Promise<void> {
    const mac = await macOf(node);
    const last = { count: 0, at: performance.now() };
    await c.waitFor(`both bursts of ${node} to be over`, async () => {
      const all = (await announcements(capture)).map(
        told => told.filter(one => one === mac).length,
      );
      const count = all.reduce((sum, one) => sum + one, 0);
      if (count > last.count) Object.assign(last, { count, at: performance.now() });
      return all.every(one => one >= 10) && performance.now() - last.at > PAUSE_MS;
    });
  }

  async function macOf(node: string): Promise<string> {
    const { stdout } = await c.lab.exec(node, ["cat", "/sys/class/net/eth0/address"]);
    return stdout.trim();
  }

  async function interfaces(names: readonly string[] | null): Promise<void> {
    const target = ["-n", "metallb-system", "patch", "l2advertisement", name, "--type=merge"];
    await c.ok([...target, "-p", JSON.stringify({ spec: { interfaces: names } })]);
  }
});
