import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bfd, BfdStatus } from "./bfd";
import { guardSession, PATIENCE_MS, stepGuard } from "./guard";
import type { GuardEvent, GuardState } from "./guard";
import { BFD_STATES } from "./wire/packet";
import type { BfdState } from "./wire/packet";

const OPEN: GuardState = { isOpen: true, wasUp: false };
const says = (state: BfdState, remoteState: BfdState = "Up"): GuardEvent => ({
  type: "status",
  status: { state, remoteState },
});
const after = (isStrict: boolean, ...events: readonly GuardEvent[]): boolean =>
  events.reduce((guard, event) => stepGuard(guard, event, isStrict), {
    ...OPEN,
    isOpen: !isStrict,
  }).isOpen;

describe("what BFD means for BGP (RFC 5882)", () => {
  it.each<[string, boolean, readonly GuardEvent[], boolean]>([
    ["bgp 90: BFD that was never up does not block BGP", false, [says("Down")], true],
    ["bgp 90: but does where it is to be strict", true, [says("Down")], false],
    ["bgp 90: down ends it", false, [says("Up"), says("Down")], false],
    ["bgp 90: and up allows it again", false, [says("Up"), says("Down"), says("Up")], true],
    ["bgp 90: halfway up does not", false, [says("Up"), says("Down"), says("Init")], false],
    [
      "bgp 90: a peer without BFD any more is spoken to again after a while",
      false,
      [says("Up"), says("Down"), { type: "patienceOver" }],
      true,
    ],
    [
      "bgp 90: unless it is to be strict",
      true,
      [says("Up"), says("Down"), { type: "patienceOver" }],
      false,
    ],
    [
      "bgp 89: AdminDown of the peer is no failure",
      false,
      [says("Up"), says("Down", "AdminDown"), says("Down")],
      true,
    ],
    [
      "bgp 89: not even where BFD had failed before",
      false,
      [says("Up"), says("Down"), says("Down", "AdminDown")],
      true,
    ],
  ])("%s", (_name, isStrict, events, isOpen) => {
    expect(after(isStrict, ...events)).toBe(isOpen);
  });

  it("bgp 89, 90: is closed exactly since the last fall from Up that nothing has mended", () => {
    const state = fc.constantFrom(...BFD_STATES);
    const event = fc.oneof(
      fc.tuple(state, state).map(([own, remote]) => says(own, remote)),
      fc.constant<GuardEvent>({ type: "patienceOver" }),
    );
    const isUp = (one: GuardEvent | undefined): boolean =>
      one?.type === "status" && one.status.state === "Up";
    const mends = (one: GuardEvent): boolean =>
      one.type === "patienceOver" || isUp(one) || one.status.remoteState === "AdminDown";
    fc.assert(
      fc.property(fc.array(event), events => {
        // What is over without BFD being asked is not looked at: before a fall comes the last status.
        const statuses = events.map((_one, at) =>
          events.slice(0, at).findLast(({ type }) => type === "status"),
        );
        const fall = events.findLastIndex((one, at) => isUp(statuses[at]) && !mends(one));
        const isMended = events.slice(fall + 1).some(mends);
        expect(after(false, ...events)).toBe(fall < 0 || isMended);
      }),
    );
  });
});

describe("a guarded session", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** BFD whose changes are made by hand: the real one is beside real routers. */
  function guarded(isStrict = false) {
    let onChange: (status: BfdStatus) => void = () => undefined;
    const done: string[] = [];
    const bfd: Bfd = {
      watch: (_options, listener) => {
        onChange = listener;
        return {
          status: () => ({}) as BfdStatus,
          configure: () => undefined,
          close: () => Promise.resolve(),
        };
      },
      stop: () => Promise.resolve(),
    };
    const session = {
      start: () => done.push("start"),
      stop: ({ code, subcode }: { code: number; subcode: number }, reason: string) =>
        done.push(`${code}/${subcode} ${reason}`),
    };
    const guard = guardSession(bfd, { address: "10.0.0.1", isStrict }, session);
    if (!isStrict) guard.established();
    const say = (state: BfdState, remoteState: BfdState = "Up", reason = "it fell"): void => {
      onChange({ state, remoteState, reason } as BfdStatus);
    };
    return { guard, done, say };
  }

  it("bgp 90: is dropped by Cease, BFD Down (RFC 9384), with the reason, and not begun again", () => {
    const { done, say } = guarded();
    say("Up");
    say("Down");
    say("Down", "Down");
    expect(done).toEqual(["start", "6/10 BFD is down: it fell"]);
    say("Up");
    expect(done).toHaveLength(3);
    vi.advanceTimersByTime(100_000);
    expect(done.at(-1)).toBe("start");
    expect(done).toHaveLength(3);
  });

  it("bgp 90: begins again without BFD when that stays away, and not after its end", () => {
    const one = guarded();
    one.say("Up");
    one.say("Down");
    vi.advanceTimersByTime(PATIENCE_MS - 1);
    expect(one.done).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(one.done.at(-1)).toBe("start");
    const other = guarded();
    other.say("Up");
    other.say("Down");
    void other.guard.close();
    vi.advanceTimersByTime(100_000);
    expect(other.done).toHaveLength(2);
  });

  it("bgp 90: waits for BFD where it is to be strict", () => {
    const { done, say } = guarded(true);
    expect(done).toEqual([]);
    say("Up");
    expect(done).toEqual(["start"]);
  });
});
