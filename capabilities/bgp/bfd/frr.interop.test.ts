import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, PeerOptions, SessionChange, Speaker } from "../index";

const HOSTS = {
  us: { addresses: ["10.9.2.1/24", "fd00:92::1/64"] },
  frr: { addresses: ["10.9.2.2/24", "fd00:92::2/64"] },
};
const V4 = { ours: "10.9.2.1", theirs: "10.9.2.2" };
const V6 = { ours: "fd00:92::1", theirs: "fd00:92::2" };
const FRR_AS = 65_001;
const OUR_AS = 65_002;

/** The speaker and its BFD against FRR's, in namespaces; what FRR says of itself is the evidence. */
describe("a BGP session that BFD watches, with FRR", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let leave: () => void = () => undefined;
  let speaker: Speaker;
  let changes: SessionChange[];

  beforeAll(async () => {
    lan = await createLan("bfd-frr", HOSTS);
  });

  afterAll(async () => {
    await lan.remove();
  });

  afterEach(async () => {
    for (const host of ["us", "sw"] as const) await lan.run(host, "nft", "flush", "ruleset");
    await speaker.stop();
    leave();
    await frr.stop();
  });

  /** FRR with these lines for us, and our speaker with these options. */
  async function meet(lines: string, ...all: readonly Partial<PeerOptions>[]): Promise<Peer[]> {
    frr = await startFrr(configuration(lines), lan.inside("frr"));
    leave = enterNamespace(lan.namespace("us"));
    speaker = createSpeaker({ as: OUR_AS, routerId: V4.ours });
    changes = [];
    return all.map(options => {
      const peer = speaker.addPeer({
        address: V4.theirs,
        as: FRR_AS,
        // Attempts that FRR refuses while it is still being configured are no news.
        onChange: change => {
          if (change.type === "up" || change.wasUp) changes.push(change);
        },
        bfd: {},
        ...options,
      });
      peer.announce(["192.0.2.1/32"]);
      return peer;
    });
  }

  const told = (): readonly string[] =>
    changes.map(change => (change.type === "up" ? "up" : change.reason));
  const until = (what: string, holds: () => boolean): Promise<unknown> =>
    waitFor(what, () => Promise.resolve(holds()));
  const areUp = (peers: readonly Peer[]): Promise<unknown> =>
    until("BGP and BFD", () =>
      peers.every(peer => {
        const { state, bfd } = peer.status();
        return state === "Established" && bfd?.state === "Up";
      }),
    );
  const theirs = async (address: string): Promise<FrrBfd | undefined> =>
    (await frr.json<FrrBfd[]>("show bfd peers json")).find(({ peer }) => peer === address);
  const isSeen = (address: string, fields: Partial<FrrBfd>): Promise<FrrBfd> =>
    waitFor(`FRR to see ${JSON.stringify(fields)}`, async () => {
      const one = await theirs(address);
      expect(one).toMatchObject(fields);
      return one;
    });
  const hasRoute = async (): Promise<boolean> =>
    (await frr.ask("show bgp ipv4 unicast")).includes("192.0.2.1/32");

  it("bgp 81, 85: comes up by IPv4 and IPv6, and takes other timers on both sides without a flap", async () => {
    const peers = await meet(
      bfdLines("fast", V4.ours, V6.ours),
      { bfd: FAST },
      { address: V6.theirs, bfd: FAST },
    );
    await areUp(peers);
    for (const { ours } of [V4, V6]) {
      await isSeen(ours, {
        status: "up",
        "remote-detect-multiplier": 3,
        "remote-receive-interval": 50,
        "remote-transmit-interval": 50,
      });
    }
    expect(peers[0]!.status().bfd).toMatchObject({ transmitInterval: 50, detectionTime: 150 });
    peers[0]!.configureBfd({ transmitInterval: 200, receiveInterval: 400, detectMultiplier: 5 });
    await isSeen(V4.ours, {
      "remote-detect-multiplier": 5,
      "remote-receive-interval": 400,
      "remote-transmit-interval": 200,
    });
    await frr.configure("bfd\n profile fast\n  receive-interval 120\n  transmit-interval 90\n");
    await until("FRR's intervals", () => peers[1]!.status().bfd?.transmitInterval === 120);
    await until("the detection time", () => peers[1]!.status().bfd?.detectionTime === 270);
    peers[0]!.configureBfd(FAST);
    await isSeen(V4.ours, { "remote-receive-interval": 50, "remote-transmit-interval": 50 });
    expect(told()).toEqual(["up", "up"]);
    expect(await counters(V4.ours)).toMatchObject({ "session-up": 1, "session-down": 0 });
    expect(peers.map(peer => peer.status().bfd?.counts.downs)).toEqual([0, 0]);
  });

  it("bgp 90: is dropped at once when only BFD's packets are lost, and does without for as long as they stay away", async () => {
    const peers = await meet(bfdLines("fast", V4.ours), { bfd: FAST, holdTime: 90 });
    await areUp(peers);
    await waitFor("the route", hasRoute);
    await lan.run("us", "sh", "-c", `echo '${NO_BFD}' | nft -f -`);
    await until("the end", () => changes.some(({ type }) => type === "down"));
    expect(changes[1]).toEqual({
      type: "down",
      reason: "BFD is down: control detection time expired",
      wasUp: true,
    });
    // FRR hears our Cease, or that BFD is down, whichever comes first.
    await waitFor("FRR to say so", async () =>
      /BFD down|Cease\/BFD Down|060A/i.test(await frr.ask(`show bgp neighbors ${V4.ours} json`)),
    );
    await waitFor("the route to be gone", async () => !(await hasRoute()));
    await waitFor("the route without BFD", hasRoute);
    expect(peers[0]!.status().bfd?.state).toBe("Down");
    await lan.run("us", "nft", "flush", "ruleset");
    await areUp(peers);
    await waitFor("the route", hasRoute);
  });

  it("bgp 84, 90: a router that goes silent is gone after the detection time, not the hold time", async () => {
    const peers = await meet(bfdLines("fast", V4.ours), { bfd: FAST, holdTime: 90 });
    await areUp(peers);
    await waitFor("the route", hasRoute);
    // As a power cut: nothing comes or goes, and no link goes down.
    await lan.run("sw", "sh", "-c", `echo '${CUT}' | nft -f -`);
    await until("our end", () => peers[0]!.status().bfd?.state === "Down");
    await waitFor("FRR's end", async () => (await theirs(V4.ours))?.status === "down");
    await waitFor("the route to be gone", async () => !(await hasRoute()));
    await lan.run("sw", "nft", "flush", "ruleset");
    await areUp(peers);
  });

  it("bgp 90: a router that knows us by our network alone is back soon, though it has forgotten BFD with us", async () => {
    const range = ` neighbor nodes peer-group
 neighbor nodes remote-as ${OUR_AS}
 neighbor nodes bfd profile fast
 bgp listen range 10.9.2.0/24 peer-group nodes
`;
    const peers = await meet(range, { bfd: FAST, holdTime: 90 });
    await areUp(peers);
    await lan.run("sw", "sh", "-c", `echo '${CUT}' | nft -f -`);
    await until("our end", () => peers[0]!.status().bfd?.state === "Down");
    await waitFor("FRR to forget us", async () => (await theirs(V4.ours)) === undefined);
    await lan.run("sw", "nft", "flush", "ruleset");
    // Long before the hold time would be over.
    await areUp(peers);
    await isSeen(V4.ours, { status: "up" });
    await waitFor("the route", hasRoute);
  });

  it("bgp 89: AdminDown is no failure, theirs or ours", async () => {
    const peers = await meet(bfdLines("fast", V4.ours), { bfd: FAST });
    await areUp(peers);
    await frr.configure("bfd\n profile fast\n  shutdown\n");
    await until("their AdminDown", () => peers[0]!.status().bfd?.remoteState === "AdminDown");
    expect(peers[0]!.status()).toMatchObject({ state: "Established" });
    await frr.configure("bfd\n profile fast\n  no shutdown\n");
    await areUp(peers);
    expect(told()).toEqual(["up"]);
    await speaker.stop("maintenance");
    await isSeen(V4.ours, { status: "down", "remote-diagnostic": "administratively down" });
  });

  it("bgp 91: a BFD daemon that has crashed comes back with another discriminator", async () => {
    const peers = await meet(bfdLines("fast", V4.ours), { bfd: FAST });
    await areUp(peers);
    const before = peers[0]!.status().bfd!.remoteDiscriminator;
    await frr.crash("bfdd");
    await until("the end", () => peers[0]!.status().bfd?.state === "Down");
    await frr.revive("bfdd");
    await areUp(peers);
    expect(peers[0]!.status().bfd!.remoteDiscriminator).not.toBe(before);
  });

  it("bgp 90, 93: BFD that never comes up does not block BGP, and passive waits to be spoken to", async () => {
    const [peer] = await meet(bfdLines("", V4.ours).replace(/.*bfd.*\n/g, ""), {
      bfd: { isPassive: true },
    });
    await until("BGP", () => peer!.status().state === "Established");
    await until("BFD to wait", () => peer!.status().bfd?.reason === "the neighbor is not heard");
    expect(peer!.status().bfd).toMatchObject({ state: "Down", counts: { controlSent: 0 } });
    await frr.configure(`router bgp ${FRR_AS}\n neighbor ${V4.ours} bfd\n`);
    await areUp([peer!]);
    expect(told()).toEqual(["up"]);
  });

  it("bgp 87: over several hops, as FRR does with ebgp-multihop, on port 4784", async () => {
    const multihop = `${bfdLines("fast", V4.ours)} neighbor ${V4.ours} ebgp-multihop 3\n`;
    const peers = await meet(multihop, { bfd: { ...FAST, isMultihop: true, minimumTtl: 250 } });
    await areUp(peers);
    await isSeen(V4.ours, { status: "up", multihop: true });
    // As if FRR were farther away than we allow.
    await lan.run("frr", "sh", "-c", `echo '${FARTHER}' | nft -f -`);
    await until("the end", () => peers[0]!.status().bfd?.state === "Down");
    expect(peers[0]!.status().bfd).toMatchObject({
      diagnostic: 1,
      counts: { controlDiscarded: 0 },
    });
    await lan.run("frr", "nft", "flush", "ruleset");
    await areUp(peers);
  });

  it("bgp 92: its echo packets come back to it, looped by the kernel, and their loss is its to see", async () => {
    await lan.run("us", "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const peers = await meet(bfdLines("echo", V4.ours), {
      bfd: { ...FAST, echoReceiveInterval: 50 },
    });
    await areUp(peers);
    type Counters = { readonly "echo-packet-input": number; readonly "echo-packet-output": number };
    const echoes = async (): Promise<Counters> => (await counters(V4.ours)) as Counters;
    await waitFor("echo packets", async () => (await echoes())["echo-packet-input"] > 20);
    const { "echo-packet-input": back, "echo-packet-output": out } = await echoes();
    expect(out - back).toBeLessThan(5);
    expect(told()).toEqual(["up"]);
    await lan.run("us", "sysctl", "-qw", "net.ipv4.ip_forward=0");
    await until("FRR's word", () => peers[0]!.status().bfd?.remoteDiagnostic === 2);
    await lan.run("us", "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await areUp(peers);
  });

  it("bgp 92: ours come back from it by IPv4 and IPv6, and their loss is ours to see", async () => {
    for (const setting of ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]) {
      await lan.run("frr", "sysctl", "-qw", setting);
    }
    // More slowly than echo, so that echo is the first to find out.
    const bfd = { transmitInterval: 500, receiveInterval: 500, echoTransmitInterval: 50 };
    const mac = (await lan.run("frr", "cat", "/sys/class/net/eth0/address")).trim();
    const peers = await meet(
      bfdLines("fast", V4.ours, V6.ours),
      { bfd, holdTime: 90 },
      { address: V6.theirs, bfd, holdTime: 90 },
    );
    await areUp(peers);
    const echoes = () =>
      peers
        .map(peer => peer.status().bfd!)
        .map(({ counts }) => [counts.echoSent, counts.echoReceived]);
    await until("echo packets", () => echoes().every(([, back = 0]) => back > 20));
    for (const [out = 0, back = 0] of echoes()) expect(out - back).toBeLessThan(5);
    expect(peers.map(peer => peer.status().bfd!.echoInterval)).toEqual([50, 50]);
    expect(told()).toEqual(["up", "up"]);
    // tcpdump adds up the checksums itself.
    for (const one of ["ip", "ip6"]) {
      const seen = await lan.run(
        "frr",
        ...CAPTURE,
        `${one} and udp port 3785 and not ether src ${mac}`,
      );
      expect(seen).toMatch(/(ttl|hlim) 255/);
      expect(seen).toMatch(/udp sum ok/);
      expect(seen).not.toMatch(/bad/);
    }
    await lan.run("sw", "sh", "-c", `echo '${NO_ECHO}' | nft -f -`);
    // They come up again by control packets, and fall again, until the path is mended.
    const failed = new Set<Peer>();
    await until("both to have lost their echo", () => {
      for (const peer of peers) if (peer.status().bfd!.diagnostic === 2) failed.add(peer);
      return failed.size === 2;
    });
    await until("the ends", () => changes.filter(({ type }) => type === "down").length >= 2);
    for (const { ours } of [V4, V6]) {
      await waitFor("FRR to be told", async () => {
        const { "session-down": downs } = (await counters(ours)) as { "session-down": number };
        return downs > 0;
      });
    }
    await lan.run("sw", "nft", "flush", "ruleset");
    await areUp(peers);
    const before = echoes();
    await until("echo packets again", () =>
      echoes().every(([, back = 0], at) => back > before[at]![1]! + 20),
    );
  });

  async function counters(address: string): Promise<unknown> {
    const all = await frr.json<{ peer: string }[]>("show bfd peers counters json");
    return all.find(({ peer }) => peer === address);
  }
});

const FAST = { transmitInterval: 50, receiveInterval: 50 };
const NO_BFD =
  "table inet t { chain c { type filter hook input priority 0; udp dport 3784 drop; }; }";
const NO_ECHO =
  "table bridge t { chain c { type filter hook forward priority 0; udp dport 3785 drop; }; }";
const CAPTURE = ["tcpdump", "-vv", "-l", "-n", "-c", "3", "-i", "eth0"] as const;
const FARTHER =
  "table ip t { chain c { type filter hook postrouting priority 0; udp dport 4784 ip ttl set 240; }; }";
const CUT = "table bridge t { chain c { type filter hook forward priority 0; drop; }; }";

type FrrBfd = {
  readonly peer: string;
  readonly status: string;
  readonly multihop: boolean;
  readonly "remote-diagnostic": string;
  readonly "remote-detect-multiplier": number;
  readonly "remote-receive-interval": number;
  readonly "remote-transmit-interval": number;
};

function bfdLines(profile: string, ...neighbors: readonly string[]): string {
  return neighbors
    .map(
      address => ` neighbor ${address} remote-as ${OUR_AS}
 neighbor ${address} timers connect 1
 neighbor ${address} bfd${profile === "" ? "" : ` profile ${profile}`}
`,
    )
    .join("");
}

function configuration(lines: string): string {
  return `
bfd
 profile fast
  receive-interval 50
  transmit-interval 50
  detect-multiplier 3
 exit
 profile echo
  receive-interval 50
  transmit-interval 50
  echo transmit-interval 50
  echo-mode
 exit
exit
router bgp ${FRR_AS}
 bgp router-id ${V4.theirs}
 no bgp ebgp-requires-policy
${lines}
exit
`;
}
