import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { theirOpen } from "./fixtures";
import { freePort, HOST } from "./fixtures-net";
import type { Peer } from "./peer";
import type { PeerOptions } from "./peer-options";
import { createSpeaker } from "./speaker";
import type { Speaker } from "./speaker";
import { keepalive } from "./wire/keepalive";
import { decodeMessage, encodeMessage, HEADER_LENGTH, readFrame } from "./wire/message";
import type { Message } from "./wire/message";
import type { Open } from "./wire/open";
import { endOfRibFamily } from "./wire/update";

/** A peer that says what the test tells it to, byte for byte, over TCP on loopback. */
class Script {
  readonly messages: Message[] = [];
  isClosed = false;
  #rest: Uint8Array = new Uint8Array();

  constructor(readonly socket: Socket) {
    socket.on("error", () => undefined);
    socket.on("close", () => (this.isClosed = true));
    socket.on("data", chunk => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      for (;;) {
        const frame = readFrame(this.#rest);
        if (!frame.ok || frame.value === undefined) return;
        this.#rest = this.#rest.subarray(HEADER_LENGTH + frame.value.body.length);
        const message = decodeMessage(frame.value);
        if (message.ok) this.messages.push(message.value);
      }
    });
  }

  say(...messages: readonly (Message | string)[]): void {
    for (const message of messages) {
      this.socket.write(
        typeof message === "string" ? Buffer.from(message, "hex") : encodeMessage(message),
      );
    }
  }

  of<T extends Message["type"]>(type: T): readonly Extract<Message, { type: T }>[] {
    return this.messages.filter((one): one is Extract<Message, { type: T }> => one.type === type);
  }

  /** What ended the session, in short, with the data in hexadecimal. */
  last(): string {
    const [notification] = this.of("notification");
    if (notification === undefined) return "nothing";
    const { code, subcode, data } = notification;
    return `${code}/${subcode} ${Buffer.from(data).toString("hex")}`.trim();
  }
}

const MARKER = "ff".repeat(16);
const open = (changes: Partial<Open> = {}): Open => ({ ...theirOpen, ...changes });
const capability = (kind: "routeRefresh" | "enhancedRouteRefresh") => ({ kind });
const withCapabilities = (...more: Open["capabilities"]): Open =>
  open({ capabilities: [...theirOpen.capabilities, ...more] });

describe("to a peer that speaks by a script", { timeout: 60_000 }, () => {
  let speaker: Speaker;
  let port: number;
  const scripts: Script[] = [];
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 20_000);

  beforeEach(async () => {
    port = await freePort();
    speaker = createSpeaker({ as: 65_001, routerId: "10.0.0.1", listen: { address: HOST, port } });
    await speaker.listening();
  });

  afterEach(async () => {
    scripts.splice(0).forEach(({ socket }) => socket.destroy());
    await speaker.stop();
  });

  async function meet(options: Partial<PeerOptions> = {}): Promise<{ peer: Peer; script: Script }> {
    const peer = speaker.addPeer({ address: HOST, as: 65_002, isPassive: true, ...options });
    return { peer, script: await dial() };
  }

  async function dial(): Promise<Script> {
    const socket = connect({ host: HOST, port });
    await once(socket, "connect");
    const script = new Script(socket);
    scripts.push(script);
    await until(() => script.of("open").length === 1);
    return script;
  }

  async function establish(theirs = open(), options: Partial<PeerOptions> = {}) {
    const both = await meet(options);
    both.script.say(theirs, keepalive);
    await until(() => both.peer.status().session !== undefined);
    return both;
  }

  const ended = (script: Script): Promise<boolean> => until(() => script.isClosed);

  it.each<[title: string, what: Message | string, notification: string]>([
    ["bgp 3: a hold time of 2 s", open({ holdTime: 2 }), "2/6"],
    ["bgp 11: a KEEPALIVE before the OPEN", keepalive, "5/1 04"],
    ["bgp 22: version 3", `${MARKER}001d0103fde9005a0a00000200`, "2/1 0004"],
    ["bgp 23: another AS number", open({ myAs: 65_003, capabilities: [] }), "2/2"],
    ["bgp 23: AS 0", open({ myAs: 0, capabilities: [] }), "2/2"],
    ["bgp 24: the identifier 0", open({ identifier: 0 }), "2/3"],
    ["bgp 19: a marker that is none", "00".repeat(19), "1/1"],
    ["bgp 19: a KEEPALIVE of 20 octets", `${MARKER}00140400`, "1/2 0014"],
    ["bgp 19: an OPEN of 28 octets", `${MARKER}001c01`, "1/2 001c"],
    ["bgp 19: a message of type 6", `${MARKER}001306`, "1/3 06"],
    ["bgp 19: a message of type 0", `${MARKER}001300`, "1/3 00"],
    ["bgp 34: an OPEN of 4097 octets", `${MARKER}100101`, "1/2 1001"],
    ["bgp 33: parameters that overrun", `${MARKER}001f0104fdea005a0a000002080201`, "2/0"],
    [
      "bgp 31: none of our families",
      open({
        capabilities: [
          { kind: "multiprotocol", afi: 25, safi: 65 },
          { kind: "fourOctetAs", as: 65_002 },
        ],
      }),
      "2/7 010400010001010400020001",
    ],
  ])("%s is answered", async (_title, what, notification) => {
    const { script } = await meet();
    script.say(what);
    await ended(script);
    expect(script.last()).toBe(notification);
  });

  it("bgp 24: our own identifier, within our AS, is answered", async () => {
    const { script } = await meet({ as: "internal" });
    script.say(open({ identifier: 0x0a000001, myAs: 65_001, capabilities: [] }));
    await ended(script);
    expect(script.last()).toBe("2/3");
  });

  it("bgp 28: offers what is configured, and no more", async () => {
    const { script } = await meet({
      families: ["ipv6"],
      gracefulRestart: { restartTime: 120, isRestarting: false, isForwarding: true },
    });
    const kinds = script.of("open")[0]!.capabilities.map(one => one.kind);
    expect(kinds.sort()).toEqual([
      "enhancedRouteRefresh",
      "fourOctetAs",
      "gracefulRestart",
      "multiprotocol",
      "routeRefresh",
    ]);
    const [family] = script.of("open")[0]!.capabilities;
    expect(family).toMatchObject({ afi: 2, safi: 1 });
  });

  it("bgp 29, 35, 37: does not mind capabilities that are repeated, unknown or of no use", async () => {
    const { peer } = await establish(
      withCapabilities(
        { kind: "fourOctetAs", as: 65_002 },
        { kind: "addPath", families: [{ afi: 1, safi: 1, mode: 1 }] },
        ...[67, 73, 75, 76, 128].map(code => ({
          kind: "unknown" as const,
          code,
          data: new Uint8Array(3),
        })),
      ),
    );
    expect(peer.status().session?.families).toEqual(["ipv4", "ipv6"]);
  });

  it("bgp 12: is up after the KEEPALIVE and not before", async () => {
    const { peer, script } = await meet();
    script.say(open());
    await until(() => script.of("keepalive").length === 1);
    expect(peer.status().state).toBe("OpenConfirm");
    script.say(keepalive);
    await until(() => peer.status().state === "Established");
  });

  it("bgp 20: hears the same however the bytes come", async () => {
    const { peer, script } = await meet();
    const bytes = Buffer.concat([encodeMessage(open()), encodeMessage(keepalive)]);
    script.socket.setNoDelay(true);
    for (const byte of bytes) {
      script.socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await until(() => peer.status().state === "Established");
  });

  it("bgp 21: never answers a NOTIFICATION, and keeps what it says", async () => {
    const { peer, script } = await establish();
    script.say(`${MARKER}00150303ff`.replace("03ff", "0a63"));
    await ended(script);
    expect(script.of("notification")).toEqual([]);
    expect(peer.status().lastError).toMatch(/10\/99/);
  });

  it("bgp 67: shows the text of a shutdown, harmless, and does without one that is malformed", async () => {
    const cease = (text: string): string => {
      const length = (HEADER_LENGTH + 2 + text.length / 2).toString(16).padStart(4, "0");
      return `${MARKER}${length}030602${text}`;
    };
    const first = await establish();
    first.script.say(cease(`06${Buffer.from("no\non!").toString("hex")}`));
    await ended(first.script);
    expect(first.peer.status().lastError).toContain("no\uFFFDon!");
    await first.peer.stop();
    const second = await establish();
    second.script.say(cease("ff6e6f"));
    await ended(second.script);
    expect(second.peer.status().lastError).toMatch(/6\/2/);
  });

  it("bgp 32: tells a peer without families IPv4 only", async () => {
    const { peer, script } = await establish(open({ capabilities: [] }), {
      nextHops: { ipv6: "2001:db8::9" },
    });
    peer.announce(["192.0.2.1/32", "2001:db8::1/128"]);
    await until(() => script.of("update").some(({ announced }) => announced.length > 0));
    expect(script.of("update").some(({ attributes }) => attributes.reach !== undefined)).toBe(
      false,
    );
  });

  it("bgp 38, 39, 40, 41: says only what belongs to a route of ours", async () => {
    const { peer, script } = await establish();
    peer.announce(["192.0.2.1/32"], { localPref: 200 });
    await until(() => script.of("update").some(({ announced }) => announced.length > 0));
    const update = script.of("update").find(({ announced }) => announced.length > 0)!;
    expect(update.attributes).toEqual({
      origin: "igp",
      asPath: [{ kind: "sequence", ases: [65_001] }],
      nextHop: HOST,
    });
  });

  it("bgp 44: withholds IPv6 routes without a next hop of IPv6", async () => {
    const { peer, script } = await establish();
    peer.announce(["2001:db8::1/128", "192.0.2.1/32"]);
    await until(() => script.of("update").some(({ announced }) => announced.length > 0));
    expect(script.of("update").flatMap(({ attributes }) => attributes.reach ?? [])).toEqual([]);
  });

  it("bgp 55: ends the first table of each family, even an empty one", async () => {
    const { script } = await establish();
    await until(() => script.of("update").length === 2);
    expect(script.of("update").map(endOfRibFamily)).toEqual(["ipv4", "ipv6"]);
  });

  it("bgp 53, 54: says the last of several things, and nothing twice", async () => {
    const { peer, script } = await establish();
    await until(() => script.of("update").length === 2);
    peer.announce(["192.0.2.1/32"], { med: 1 });
    peer.withdraw(["192.0.2.1/32"]);
    peer.announce(["192.0.2.2/32"], { med: 1 });
    peer.announce(["192.0.2.2/32"], { med: 2 });
    await until(() => script.of("update").length === 3);
    peer.announce(["192.0.2.2/32"], { med: 2 });
    peer.announce(["192.0.2.3/32"]);
    await until(() => script.of("update").length === 4);
    expect(
      script
        .of("update")
        .slice(2)
        .map(({ announced }) => announced),
    ).toEqual([["192.0.2.2/32"], ["192.0.2.3/32"]]);
  });

  it("bgp 56, 57: answers a thousand refreshes at once with one table between marks", async () => {
    const { peer, script } = await establish(withCapabilities(capability("enhancedRouteRefresh")));
    peer.announce(["192.0.2.1/32"]);
    await until(() => script.of("update").length === 3);
    const request = { type: "routeRefresh", afi: 1, safi: 1, subtype: 0 } as const;
    script.say(
      ...Array<Message>(1_000).fill(request),
      { ...request, afi: 99 },
      { ...request, subtype: 9 },
    );
    await until(() => script.of("routeRefresh").some(({ subtype }) => subtype === 2));
    const marks = script.of("routeRefresh").map(({ subtype }) => subtype);
    expect(marks.slice(0, 2)).toEqual([1, 2]);
    expect(marks.length).toBeLessThan(20);
    expect(peer.status().state).toBe("Established");
  });

  it("bgp 49, 64: gives back nothing, and does not mind families that were not agreed on", async () => {
    const { peer, script } = await establish();
    await until(() => script.of("update").length === 2);
    const attributes = {
      origin: "igp",
      asPath: [{ kind: "sequence", ases: [65_002] }],
      nextHop: HOST,
    } as const;
    const announced = Array.from({ length: 500 }, (_, i) => `198.18.${i >> 8}.${i & 255}/32`);
    const other = { afi: 25, safi: 65, data: new Uint8Array(9) };
    const base = { type: "update", withdrawn: [], faults: [] } as const;
    script.say(
      { ...base, attributes, announced },
      { ...base, attributes: { reach: other }, announced: [] },
    );
    await until(() => peer.status().received.updates === 2);
    expect([peer.status().received.announced, script.of("update").length]).toEqual([500, 2]);
    expect([...peer.routes()]).toEqual([]);
    expect(peer.status().state).toBe("Established");
  });

  it("bgp 7: says 4/0 after a hold time of silence, and everything again in the next session", async () => {
    const { peer, script } = await establish(open({ holdTime: 3 }));
    peer.announce(["192.0.2.1/32"]);
    await until(() => script.of("update").length === 3);
    await ended(script);
    expect(script.last()).toBe("4/0");
    const next = await dial();
    next.say(open({ holdTime: 3 }), keepalive);
    await until(() => next.of("update").some(({ announced }) => announced[0] === "192.0.2.1/32"));
  });

  it("bgp 58: tells a burst of changes together, and withdrawals as soon", async () => {
    const { peer, script } = await establish();
    await until(() => script.of("update").length === 2);
    const burst = Array.from({ length: 500 }, (_, i) => `198.18.${i >> 8}.${i & 255}/32`);
    for (const prefix of burst) peer.announce([prefix]);
    await until(() => script.of("update").length > 2);
    for (const prefix of burst) peer.withdraw([prefix]);
    await until(() => script.of("update").some(({ withdrawn }) => withdrawn.length > 0));
    const told = script.of("update").slice(2);
    expect(told.map(({ announced, withdrawn }) => [announced.length, withdrawn.length])).toEqual([
      [500, 0],
      [0, 500],
    ]);
  });

  it("bgp 75: does not mind a peer that keeps routes for long (RFC 9494)", async () => {
    const families = [{ afi: 1, safi: 1, isForwarding: true, staleTime: 0xff_ffff }];
    const { peer } = await establish(
      withCapabilities({ kind: "longLivedGracefulRestart", families }),
    );
    expect(peer.status().state).toBe("Established");
  });

  it("bgp 80: does not listen unless it is told where", async () => {
    const servers = (): number =>
      process.getActiveResourcesInfo().filter(name => name === "TCPServerWrap").length;
    const listen = { address: HOST, port: await freePort() };
    const before = servers();
    const quiet = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    quiet.addPeer({ address: HOST, as: 65_002, port: listen.port });
    expect(servers()).toBeLessThanOrEqual(before);
    await quiet.stop();
    const other = createSpeaker({ as: 65_001, routerId: "10.0.0.1", listen });
    expect(servers()).toBe(before + 1);
    await other.stop();
  });

  it("bgp 16: keeps the session when a second connection comes", async () => {
    const { peer, script } = await establish();
    const socket = connect({ host: HOST, port });
    await once(socket, "connect");
    const second = new Script(socket);
    await ended(second);
    expect(second.last()).toBe("6/7");
    expect([peer.status().state, script.isClosed]).toEqual(["Established", false]);
  });

  it("bgp 26: says by its number why it stops", async () => {
    for (const [subcode, expected] of [
      [undefined, "6/2"],
      [3, "6/3"],
      [4, "6/4"],
      [6, "6/6"],
    ] as const) {
      const { peer, script } = await establish();
      await peer.stop(subcode === undefined ? {} : { subcode });
      await ended(script);
      expect(script.last()).toBe(expected);
    }
  });

  it("bgp 27: changes of routes leave the session alone", async () => {
    const ups: string[] = [];
    const { peer, script } = await establish(open(), { onChange: ({ type }) => ups.push(type) });
    for (let i = 0; i < 100; i += 1) peer.announce([`192.0.2.${i}/32`], { med: i });
    await until(() => script.of("update").length >= 102);
    expect(ups).toEqual(["up"]);
  });

  it("bgp 34: takes messages beyond 4096 octets once both have offered it", async () => {
    const { peer, script } = await establish(withCapabilities({ kind: "extendedMessage" }), {
      extendedMessages: true,
    });
    const length = 5_000;
    const withdrawn = "18c00002".repeat(((length - 23) / 4) | 0);
    const body = (withdrawn.length / 2).toString(16).padStart(4, "0") + withdrawn + "0000";
    const total = (HEADER_LENGTH + body.length / 2).toString(16).padStart(4, "0");
    script.say(`${MARKER}${total}02${body}`);
    await until(() => peer.status().received.withdrawn > 1_000);
    expect(peer.status().session?.hasExtendedMessages).toBe(true);
  });
});
