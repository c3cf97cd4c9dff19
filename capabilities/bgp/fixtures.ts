import { initialState, stateName, step } from "./fsm";
import type { FsmAction, FsmEvent, FsmSettings, PeerState, TimerName, Via } from "./fsm-types";
import type { Capability } from "./wire/capability";
import { keepalive } from "./wire/keepalive";
import type { Message } from "./wire/message";
import type { Notification } from "./wire/notification";
import type { Open } from "./wire/open";

/** A peer and ourselves, for tests of the state machine. */
export const settings: FsmSettings = {
  offer: {
    localAs: 65_001,
    peerAs: 65_002,
    identifier: 0x0a000001,
    holdTime: 90,
    families: ["ipv4", "ipv6"],
  },
  isPassive: false,
  retry: { minMs: 1_000, maxMs: 120_000 },
  dialMs: 5_000,
  openDelayMs: 0,
  sendHoldMs: 480_000,
};

/** What such a peer says. */
export const theirOpen: Open = {
  type: "open",
  myAs: 65_002,
  holdTime: 9,
  identifier: 0x0a000002,
  capabilities: [
    { kind: "multiprotocol", afi: 1, safi: 1 },
    { kind: "multiprotocol", afi: 2, safi: 1 },
    { kind: "routeRefresh" },
    { kind: "fourOctetAs", as: 65_002 },
  ],
};

/** A machine with its timers and what it has done, as a session would see it. */
export function machine(changes: Partial<FsmSettings> = {}, random = 0.999_999) {
  const own = { ...settings, ...changes };
  let state = initialState;
  const timers = new Map<TimerName, number>();
  const clear = (via: Via): void => {
    [...timers.keys()].filter(name => name.startsWith(via)).forEach(name => timers.delete(name));
  };
  const send = (event: FsmEvent): readonly FsmAction[] => {
    if (event.type === "timer") timers.delete(event.timer);
    const result = step(own, state, event, random);
    state = result.state;
    for (const action of result.actions) {
      if (action.do === "setTimer") timers.set(action.timer, action.ms);
      if (action.do === "clearTimer") timers.delete(action.timer);
      if (action.do === "close") clear(action.via);
    }
    return result.actions;
  };
  return {
    send,
    timers,
    name: () => stateName(state),
    state: (): PeerState => state,
    receive: (message: Message, via: Via = "outgoing") => send({ type: "message", via, message }),
    /** To Established over a connection of this kind. */
    establish(open: Open = theirOpen, via: Via = "outgoing") {
      send({ type: "start" });
      send(via === "outgoing" ? { type: "dialled" } : { type: "accepted" });
      send({ type: "message", via, message: open });
      send({ type: "message", via, message: keepalive });
    },
  };
}

/** The messages among actions, in short. */
export function sent(actions: readonly FsmAction[]): readonly string[] {
  return actions.flatMap(action =>
    action.do === "send"
      ? [
          action.message.type === "notification"
            ? `${action.message.code}/${action.message.subcode}`
            : action.message.type,
        ]
      : action.do === "refuse"
        ? [`${action.notification.code}/${action.notification.subcode}`]
        : [],
  );
}

export const kinds = (actions: readonly FsmAction[]): readonly string[] => actions.map(a => a.do);
export const notification = (code: number, subcode: number): Notification => ({
  type: "notification",
  code,
  subcode,
  data: new Uint8Array(),
});
const restart: Capability = {
  kind: "gracefulRestart",
  isRestarting: false,
  hasNotification: true,
  restartTime: 120,
  families: [],
};
export const restarting = { ...theirOpen, capabilities: [...theirOpen.capabilities, restart] };
