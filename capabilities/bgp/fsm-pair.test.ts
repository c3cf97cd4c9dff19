import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialState, stateName, step } from "./fsm";
import { settings } from "./fixtures";
import type { FsmAction, FsmEvent, FsmSettings, TimerName, Via } from "./fsm-types";
import type { Message } from "./wire/message";

/**
 * Two machines and a network between them, in virtual time. What travels takes as long as `delays`
 * says, in order within a connection; so both may dial at once, and any interleaving comes up.
 */
function world(both: readonly FsmSettings[], delays: () => number) {
  let now = 0;
  const queue: { at: number; run: () => void }[] = [];
  const later = (ms: number, run: () => void): { cancel: () => void } => {
    const entry = { at: now + ms, run };
    queue.push(entry);
    return { cancel: () => (entry.run = () => undefined) };
  };
  /** One end of a connection: where messages go, and when the last one will have arrived. */
  type End = { owner: number; via: Via; peer?: End; isOpen: boolean; lastAt: number };
  const nodes = both.map((own, owner) => ({
    own,
    owner,
    state: initialState,
    ends: new Map<Via, End>(),
    timers: new Map<TimerName, { cancel: () => void }>(),
    dial: undefined as { cancel: () => void } | undefined,
  }));
  type Node = (typeof nodes)[number];

  const carry = (end: End, run: (to: End) => void): void => {
    const peer = end.peer!;
    peer.lastAt = Math.max(peer.lastAt, now + delays());
    later(peer.lastAt - now, () => {
      if (peer.isOpen) run(peer);
    });
  };
  const tell = (from: End, message: Message): void => {
    carry(from, to => {
      send(nodes[to.owner]!, { type: "message", via: to.via, message });
    });
  };
  const close = (node: Node, via: Via): void => {
    const end = node.ends.get(via);
    node.ends.delete(via);
    [...node.timers]
      .filter(([name]) => name.startsWith(via))
      .forEach(([name, timer]) => {
        timer.cancel();
        node.timers.delete(name);
      });
    if (end !== undefined) {
      end.isOpen = false;
      carry(end, to => {
        send(nodes[to.owner]!, { type: "closed", via: to.via, reason: "closed" });
      });
    }
  };
  const connect = (node: Node): void => {
    const far = nodes[1 - node.owner]!;
    const ours: End = { owner: node.owner, via: "outgoing", isOpen: true, lastAt: 0 };
    const theirs: End = { owner: far.owner, via: "incoming", peer: ours, isOpen: true, lastAt: 0 };
    ours.peer = theirs;
    node.dial = later(delays(), () => {
      node.ends.set("outgoing", ours);
      const ms = delays();
      theirs.lastAt = now + ms;
      later(ms, () => {
        send(far, { type: "accepted" }, theirs);
      });
      send(node, { type: "dialled" });
    });
  };
  const setTimer = (node: Node, timer: TimerName, ms: number | undefined): void => {
    node.timers.get(timer)?.cancel();
    node.timers.delete(timer);
    if (ms !== undefined) {
      const entry = later(ms, () => {
        send(node, { type: "timer", timer });
      });
      node.timers.set(timer, entry);
    }
  };
  const perform = (node: Node, action: FsmAction, arrived: End | undefined): void => {
    switch (action.do) {
      case "dial":
        connect(node);
        return;
      case "cancelDial":
        node.dial?.cancel();
        return;
      case "adopt":
        node.ends.set("incoming", arrived!);
        return;
      case "refuse":
        arrived!.isOpen = false;
        tell(arrived!, action.notification);
        return;
      case "send":
        tell(node.ends.get(action.via)!, action.message);
        return;
      case "close":
        close(node, action.via);
        return;
      case "setTimer":
        setTimer(node, action.timer, action.ms);
        return;
      case "clearTimer":
        setTimer(node, action.timer, undefined);
        return;
      default:
    }
  };
  function send(node: Node, event: FsmEvent, arrived?: End): void {
    const { state, actions } = step(node.own, node.state, event, 0.5);
    node.state = state;
    actions.forEach(action => {
      perform(node, action, arrived);
    });
  }
  return {
    start: (owner: number, at: number) => {
      later(at, () => {
        send(nodes[owner]!, { type: "start" });
      });
    },
    runUntil: (end: number) => {
      for (;;) {
        queue.sort((a, b) => a.at - b.at);
        if (queue[0] === undefined || queue[0].at > end) return;
        now = queue[0].at;
        queue.shift()!.run();
      }
    },
    states: () => nodes.map(({ state }) => stateName(state)),
    kinds: () => nodes.map(({ ends }) => [...ends.keys()]),
  };
}

const other: FsmSettings = {
  ...settings,
  offer: { ...settings.offer, localAs: 65_002, peerAs: 65_001, identifier: 0x0a000002 },
};

describe("two of them", { timeout: 60_000 }, () => {
  const runs = fc.record({
    delays: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 }),
    starts: fc.tuple(fc.nat(500), fc.nat(500)),
    passive: fc.constantFrom([false, false], [true, false], [false, true]),
    openDelayMs: fc.constantFrom(0, 300),
    isSwapped: fc.boolean(),
  });

  it("come together over one connection, whoever dials and however long things travel", () => {
    fc.assert(
      fc.property(runs, ({ delays, starts, passive, openDelayMs, isSwapped }) => {
        let turn = 0;
        const both = (isSwapped ? [other, settings] : [settings, other]).map((one, index) => ({
          ...one,
          openDelayMs,
          isPassive: passive[index] ?? false,
        }));
        const net = world(both, () => delays[turn++ % delays.length] ?? 1);
        starts.forEach((at, owner) => {
          net.start(owner, at);
        });
        net.runUntil(60_000);
        expect(net.states()).toEqual(["Established", "Established"]);
        expect(net.kinds().flat().sort()).toEqual(["incoming", "outgoing"]);
        // And stay so: keepalives cross, no timer ends it.
        net.runUntil(600_000);
        expect(net.states()).toEqual(["Established", "Established"]);
      }),
      { numRuns: 500 },
    );
  });
});
