import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fetchBird, startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { waitFor } from "../../../hack/wait";
import type { Bfd, BfdStatus, BfdWatch } from "./bfd";
import type { BfdOptions } from "./options";
import { startBfd } from "./thread";

const HOSTS = {
  us: { addresses: ["10.9.1.1/24", "fd00:91::1/64"] },
  bird: { addresses: ["10.9.1.2/24", "fd00:91::2/64"] },
};
const V4 = { ours: "10.9.1.1", theirs: "10.9.1.2" };
const V6 = { ours: "fd00:91::1", theirs: "fd00:91::2" };
const FAST_BIRD = `interface "*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
  neighbor 10.9.1.1 local 10.9.1.2; neighbor fd00:91::1 local fd00:91::2;`;
const CAPTURE = ["tcpdump", "-v", "-l", "-n", "-c", "5", "-i", "eth0"] as const;
const LOWER_TTL =
  "table ip t { chain c { type filter hook postrouting priority 0; ip ttl set 254; }; }";
const FAST = { transmitInterval: 50, receiveInterval: 50 };

/** BFD against BIRD's, in namespaces; what BIRD says of itself is the evidence. */
describe.each([2, 3] as const)("BFD and BIRD %i", version => {
  let lan: Lan<keyof typeof HOSTS>;
  let bird: Bird | undefined;
  let bfd: Bfd;

  beforeAll(async () => {
    await fetchBird(version);
    lan = await createLan(`bfd-bird${version}`, HOSTS);
  });

  afterAll(async () => {
    await lan.remove();
  });

  afterEach(async () => {
    await lan.run("bird", "nft", "flush", "ruleset");
    await bfd.stop();
    await bird?.stop();
    bird = undefined;
  });

  async function meet(configuration: string, ...all: readonly BfdOptions[]): Promise<BfdWatch[]> {
    bird = await startBird(
      `router id 10.9.1.2; protocol device { } protocol bfd { ${configuration} }`,
      // What is tested is ours, so that BIRD is not to be late on a busy machine.
      argv => lan.inside("bird")(["chrt", "--rr", "1", ...argv]),
      version,
    );
    return watch(...all);
  }

  /** A thread belongs to the namespace that the thread which starts it is in. */
  function watch(...all: readonly BfdOptions[]): BfdWatch[] {
    bfd = startBfd();
    const leave = enterNamespace(lan.namespace("us"));
    const watches = all.map(options => bfd.watch(options, status => changes.push(status)));
    leave();
    return watches;
  }

  const changes: BfdStatus[] = [];
  const until = (what: string, holds: () => boolean): Promise<unknown> =>
    waitFor(what, () => Promise.resolve(holds()));
  /** The line of `show bfd sessions` about us: state, interval and timeout. */
  const bySide = async (address: string): Promise<string | undefined> =>
    (await bird!.ask("show bfd sessions")).split("\n").find(line => line.startsWith(`${address} `));
  const isUp = (watches: readonly BfdWatch[]): Promise<unknown> =>
    until("the session", () => watches.every(one => one.status().state === "Up"));

  it("bgp 81, 83, 84: are up with each other, 300 x 3 and 50 x 3, by IPv4 and IPv6", async () => {
    const interfaces = `interface "*" { min rx interval 50 ms; min tx interval 50 ms; };`;
    const neighbors = [V4, V6].map(({ ours, theirs }) => `neighbor ${ours} local ${theirs};`);
    const watches = await meet(
      [interfaces, ...neighbors].join("\n"),
      { address: V4.theirs, ...FAST },
      { address: V6.theirs },
    );
    await isUp(watches);
    await until("the intervals", () => watches[1]!.status().transmitInterval === 300);
    expect(watches.map(one => one.status())).toMatchObject([
      { transmitInterval: 50, detectionTime: 250, reason: "" },
      { transmitInterval: 300, detectionTime: 1_500 },
    ]);
    // BIRD's multiplier is 5, ours 3.
    await waitFor("BIRD to see so", async () =>
      /Up.*0\.050\s+0\.150/.test((await bySide(V4.ours))!),
    );
    expect(await bySide(V6.ours)).toMatch(/Up.*0\.300\s+0\.900/);
  });

  it("bgp 95: stay up, 50 x 3, while the thread that speaks BGP is busy for two seconds", async () => {
    const [one] = await meet(FAST_BIRD, { address: V4.theirs, ...FAST });
    await isUp([one!]);
    await waitFor("BIRD to see so", async () => /Up/.test((await bySide(V4.ours))!));
    changes.length = 0;
    const end = Date.now() + 2_000;
    while (Date.now() < end);
    expect(await bySide(V4.ours)).toMatch(/ Up /);
    await until("a second's counts", () => one!.status().counts.controlReceived > 40);
    expect(changes).toEqual([]);
    expect(one!.status()).toMatchObject({ state: "Up", counts: { ups: 1, downs: 0 } });
  });

  it.each([
    ["keyed sha1", "keyedSha1"],
    ["meticulous keyed sha1", "meticulousSha1"],
    ["meticulous keyed md5", "meticulousMd5"],
    ["simple", "password"],
  ] as const)(
    "bgp 86: sign by %s, and take nothing that is signed by another key",
    async (theirs, kind) => {
      const signed = `interface "*" { min rx interval 100 ms; min tx interval 100 ms;
      authentication ${theirs}; password "s3cret" { id 7; }; }; neighbor 10.9.1.1 local 10.9.1.2;
      neighbor fd00:91::1 local fd00:91::2;`;
      const keyed = (id: number, secret: string): NonNullable<BfdOptions["authentication"]> => ({
        ...{ kind, keys: [{ id, secret }] },
      });
      const [one, other] = await meet(
        signed,
        { address: V4.theirs, authentication: keyed(7, "s3cret") },
        { address: V6.theirs, authentication: keyed(7, "0ther") },
      );
      await isUp([one!]);
      await waitFor("BIRD to see so", async () => /Up/.test((await bySide(V4.ours))!));
      await until("packets of the other key", () => other!.status().counts.controlDiscarded > 2);
      expect(other!.status()).toMatchObject({
        state: "Down",
        counts: { ups: 0, controlReceived: 0 },
      });
      expect(await bySide(V6.ours)).toMatch(/ Down /);
    },
  );

  it("bgp 87, 88: send with TTL 255 from one high port, and take nothing with less", async () => {
    const [one] = await meet(FAST_BIRD, { address: V4.theirs, ...FAST });
    await isUp([one!]);
    const seen = await lan.run("bird", ...CAPTURE, "udp dst port 3784 and src 10.9.1.1");
    const packets = [...seen.matchAll(/tos (\S+), ttl (\d+)[^]*?10\.9\.1\.1\.(\d+) >/g)];
    expect(packets).toHaveLength(5);
    const [[, tos, ttl, port] = []] = packets;
    expect([tos, ttl]).toEqual(["0xc0", "255"]);
    expect(Number(port)).toBeGreaterThanOrEqual(49_152);
    expect(new Set(packets.map(([, , , from]) => from)).size).toBe(1);

    await lan.run("bird", "sh", "-c", `echo '${LOWER_TTL}' | nft -f -`);
    await until("the end", () => one!.status().state === "Down");
    expect(one!.status()).toMatchObject({ diagnostic: 1, counts: { controlDiscarded: 0 } });
  });
});
