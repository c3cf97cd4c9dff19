import { afterEach, describe, expect, it, vi } from "vitest";
import { machine, notification, restarting, settings, theirOpen } from "./fixtures";
import { freePort, HOST } from "./fixtures-net";
import { hardReset } from "./wire/notification";
import type { FsmEvent } from "./fsm-types";
import type { Open } from "./wire/open";
import type { Peer } from "./peer";
import type { PeerOptions } from "./peer-options";
import { createSpeaker } from "./speaker";
import type { Speaker } from "./speaker";

const gracefulRestart = { restartTime: 30, isRestarting: false, isForwarding: true };

describe("the end of a session", () => {
  const offer = { ...settings.offer, gracefulRestart };
  const endOf = (event: FsmEvent, open: Open = restarting) => {
    const peer = machine({ offer });
    peer.establish(open);
    return peer.send(event).find(action => action.do === "ended");
  };
  const received = (message: ReturnType<typeof notification>) =>
    ({ type: "message", via: "outgoing", message }) as const;
  const closed = { type: "closed", via: "outgoing", reason: "gone" } as const;

  it("bgp 73: is a restart without a word, and with one that is no hard reset", () => {
    expect(endOf(closed)).toMatchObject({ isGraceful: true });
    expect(endOf(received(notification(6, 4)))).toMatchObject({ isGraceful: true });
    expect(endOf({ type: "timer", timer: "outgoing:hold" })).toMatchObject({ isGraceful: true });
    expect(endOf(received(hardReset(notification(6, 2))))).toMatchObject({ isGraceful: false });
  });

  it("bgp 73: is one without a word only, for who does not know the N bit", () => {
    const capabilities = restarting.capabilities.map(one =>
      one.kind === "gracefulRestart" ? { ...one, hasNotification: false } : one,
    );
    const open = { ...restarting, capabilities };
    expect(endOf(closed, open)).toMatchObject({ isGraceful: true });
    expect(endOf(received(notification(6, 4)), open)).toMatchObject({ isGraceful: false });
    expect(endOf(closed, theirOpen)).toMatchObject({ isGraceful: false });
  });

  it("bgp 69: is followed by an OPEN without the R bit, once a session was up", () => {
    const peer = machine({
      offer: { ...offer, gracefulRestart: { ...gracefulRestart, isRestarting: true } },
    });
    const bitOf = (actions: ReturnType<typeof peer.send>) =>
      JSON.stringify(actions).match(/"isRestarting":(true|false)/)?.[1];
    peer.send({ type: "start" });
    expect(bitOf(peer.send({ type: "dialled" }))).toBe("true");
    peer.receive(restarting);
    peer.receive({ type: "keepalive" });
    peer.send(closed);
    peer.send({ type: "timer", timer: "connectRetry" });
    expect(bitOf(peer.send({ type: "dialled" }))).toBe("false");
  });

  it("bgp 66: waits long after too many prefixes, whoever says so", () => {
    for (const event of [
      received(notification(6, 1)),
      { type: "reset", notification: notification(6, 1), reason: "too many" } as const,
    ]) {
      const peer = machine();
      peer.establish();
      peer.send(event);
      expect(peer.timers.get("connectRetry")).toBeGreaterThan(89_000);
    }
  });
});

/** Two speakers over TCP on loopback. */
describe("routes that are kept", { timeout: 60_000 }, () => {
  const speakers: Speaker[] = [];
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 30_000);
  const prefixes = (peer: Peer): readonly string[] =>
    [...peer.routes()].map(({ prefix }) => prefix).sort();

  afterEach(async () => {
    await Promise.all(speakers.splice(0).map(speaker => speaker.stop("the test is over")));
  });

  async function receiver(options: Partial<PeerOptions> = {}) {
    const port = await freePort();
    const speaker = createSpeaker({
      as: 65_002,
      routerId: "10.0.0.2",
      listen: { address: HOST, port },
    });
    speakers.push(speaker);
    await speaker.listening();
    const peer = speaker.addPeer({
      ...{ address: HOST, as: "external", isPassive: true, importFilter: () => true },
      gracefulRestart,
      ...options,
    });
    return { port, peer };
  }

  function announcer(port: number, options: Partial<PeerOptions> = {}) {
    const speaker = createSpeaker({ as: 65_001, routerId: "10.0.0.1" });
    speakers.push(speaker);
    const retry = { retryTime: 0.1, maxRetryTime: 0.2 };
    const peer = speaker.addPeer({
      address: HOST,
      as: 65_002,
      port,
      gracefulRestart,
      ...retry,
      ...options,
    });
    return { speaker, peer };
  }

  it("are those that the filter lets in, with their attributes", async () => {
    const { port, peer } = await receiver({
      importFilter: ({ prefix }) => prefix.endsWith("1/32"),
    });
    announcer(port).peer.announce(["192.0.2.1/32", "192.0.2.2/32"], { med: 7 });
    await until(() => peer.status().received.announced === 2);
    expect([...peer.routes()]).toEqual([
      {
        prefix: "192.0.2.1/32",
        family: "ipv4",
        attributes: expect.objectContaining({ med: 7 }) as unknown,
      },
    ]);
  });

  it("bgp 70, 71: outlast a restart, and those that are not told again go at its end", async () => {
    const { port, peer } = await receiver();
    const first = announcer(port);
    first.peer.announce(["192.0.2.1/32", "192.0.2.2/32"]);
    await until(() => prefixes(peer).length === 2);
    await first.speaker.stop({ isRestart: true });
    await until(() => peer.status().state !== "Established");
    expect(prefixes(peer)).toHaveLength(2);

    const isRestarting = { ...gracefulRestart, isRestarting: true };
    const second = announcer(port, { gracefulRestart: isRestarting, deferralTime: 30 });
    second.peer.announce(["192.0.2.2/32"]);
    await until(() => peer.status().received.announced === 1);
    expect(prefixes(peer)).toHaveLength(2);
    second.peer.complete();
    await until(() => prefixes(peer).length === 1);
    expect(prefixes(peer)).toEqual(["192.0.2.2/32"]);
  });

  it("bgp 71: outlast a restart until who is back says that it has not forwarded meanwhile", async () => {
    const { port, peer } = await receiver();
    // As BIRD does it: the F bit comes with the restart only.
    const first = announcer(port, { gracefulRestart: { ...gracefulRestart, isForwarding: false } });
    first.peer.announce(["192.0.2.1/32"]);
    await until(() => prefixes(peer).length === 1);
    await first.speaker.stop({ isRestart: true });
    await until(() => peer.status().state !== "Established");
    expect(prefixes(peer)).toEqual(["192.0.2.1/32"]);
    const isBack = { ...gracefulRestart, isRestarting: true };
    const second = announcer(port, { gracefulRestart: isBack, deferralTime: 30 });
    await until(() => second.peer.status().state === "Established");
    expect(prefixes(peer)).toEqual(["192.0.2.1/32"]);
    await second.speaker.stop({ isRestart: true });
    await until(() => peer.status().state !== "Established");
    const isLost = { ...isBack, isForwarding: false };
    const third = announcer(port, { gracefulRestart: isLost, deferralTime: 30 });
    await until(() => third.peer.status().state === "Established");
    await until(() => prefixes(peer).length === 0);
  });

  it("bgp 72: go when who restarts does not come back in time", async () => {
    const { port, peer } = await receiver();
    const { speaker, peer: ours } = announcer(port, {
      gracefulRestart: { ...gracefulRestart, restartTime: 1 },
    });
    ours.announce(["192.0.2.1/32"]);
    await until(() => prefixes(peer).length === 1);
    await speaker.stop({ isRestart: true });
    await until(() => prefixes(peer).length === 0);
  });

  it("bgp 68, 74: are the last choice while we leave, and go with our last words", async () => {
    const { port, peer } = await receiver();
    const { speaker, peer: ours } = announcer(port);
    ours.announce(["192.0.2.1/32"], { communities: ["64500:7"] });
    await until(() => prefixes(peer).length === 1);
    const stopped = speaker.stop({ reason: "node drain", drainTime: 0.5 });
    await until(() =>
      [...peer.routes()].some(({ attributes }) => attributes.communities?.length === 2),
    );
    expect([...peer.routes()][0]?.attributes.communities).toEqual(["64500:7", "65535:0"]);
    await stopped;
    await until(() => /node drain/.test(peer.status().lastError ?? ""));
    expect(prefixes(peer)).toEqual([]);
  });

  it("bgp 65: are no more than the limit, which ends the session for long", async () => {
    const { port, peer } = await receiver({ maxPrefixes: 10 });
    const { peer: ours } = announcer(port);
    ours.announce(Array.from({ length: 11 }, (_, i) => `192.0.2.${i}/32`));
    await until(() => /more than 10 prefixes of ipv4/.test(peer.status().lastError ?? ""));
    await until(() => /MaximumPrefixes/.test(ours.status().lastError ?? ""));
    expect(prefixes(peer)).toEqual([]);
  });

  it("bgp 36: are marked and refused by the roles of RFC 9234", async () => {
    const provider = { own: 0, isRequired: true };
    const customer = { own: 3, isRequired: true };
    const down = await receiver({ role: customer });
    announcer(down.port, { role: provider }).peer.announce(["192.0.2.1/32"]);
    await until(() => prefixes(down.peer).length === 1);
    expect([...down.peer.routes()][0]?.attributes.onlyToCustomer).toBe(65_001);
    const wrong = await receiver({ role: provider });
    const peer = announcer(wrong.port, { role: provider }).peer;
    await until(() => /role/i.test(peer.status().lastError ?? ""));
  });
});
