/** One session at run time. */
import { randomInt } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { familyOf } from "../wire/address";
import { NO_COUNTS } from "./bfd";
import type { BfdStatus } from "./bfd";
import { createEcho } from "./echo";
import { minimumTtlOf, sessionSettings } from "./options";
import type { BfdOptions, BfdTimers } from "./options";
import type { Entrance, Ports } from "./ports";
import { openSession, stepSession } from "./session";
import { forgeryOf, sealPacket } from "./session-keys";
import type {
  SessionAction,
  SessionEvent,
  SessionSettings,
  SessionState,
  SessionTimer,
} from "./session-types";
import { detectionTime, echoInterval } from "./timing";
import { openSender } from "./udp";
import type { Sender } from "./udp";
import { CONTROL_PORT, describeDiagnostic, MULTIHOP_PORT } from "./wire/packet";
import type { BfdState, ControlPacket } from "./wire/packet";

/** What sessions of a thread share. */
export type RunnerEnvironment = {
  readonly ports: Ports;
  /** Packets that came in so far, for whatever session. */
  received(): number;
};

export type Runner = {
  receive(packet: ControlPacket, payload: Uint8Array): void;
  /** A packet from the neighbor that is none. */
  discard(): void;
  configure(timers: BfdTimers): void;
  status(): BfdStatus;
  /** Calls back after every change, until what this returns is called. */
  onChange(listener: (status: BfdStatus) => void): () => void;
  /** Tells the neighbor, and resolves when it knows or has had the time to find out. */
  end(): Promise<void>;
};

/** Of sockets that could not be opened: another daemon has the port, the address is not there yet. */
const REOPEN_MS = 2_000;
/** The longest that a neighbor may take to hear of the end. */
const LINGER_MS = 3_000;
/** Turns of the event loop that packets which wait to be read may take. */
const PATIENCE = 64;

type Timer = {
  timeout?: NodeJS.Timeout;
  immediate?: NodeJS.Immediate;
  /** When it is to fire, by `performance.now()`; a deadline that was put off has a timeout that comes earlier. */
  due: number;
};

/** @throws RangeError that names an option that is out of its range. */
export function createRunner(
  options: BfdOptions,
  discriminator: number,
  environment: RunnerEnvironment,
): Runner {
  const { ports } = environment;
  const entrance = entranceOf(options);
  const neighbor = { address: options.address, minimumTtl: minimumTtlOf(options) };
  const timers = new Map<SessionTimer, Timer>();
  const listeners = new Set<(status: BfdStatus) => void>();
  const counts = { ...NO_COUNTS };
  const echo = createEcho(options, discriminator);
  let wanted = sessionSettings(options);
  let session = openSession(withoutEcho(wanted), discriminator, randomInt(2 ** 32));
  let sender: Sender | undefined;
  let problem: string | undefined;
  let reopen: NodeJS.Timeout | undefined;

  function tell(event: SessionEvent): void {
    const result = stepSession(session, event, Math.random());
    session = result.session;
    result.actions.forEach(perform);
  }

  function perform(action: SessionAction): void {
    switch (action.do) {
      case "send":
        send(action.packet);
        return;
      case "sendEcho":
        if (echo.send()) counts.echoSent++;
        return;
      case "setTimer":
        setTimer(action.timer, action.us);
        return;
      case "clearTimer":
        clearTimer(action.timer);
        return;
      case "changed":
        countTurn(action.from);
        notify();
        return;
      case "discarded":
        counts.controlDiscarded++;
        return;
    }
  }

  function countTurn(from: BfdState): void {
    if (session.state === "Up" && from !== "Up") counts.ups++;
    if (session.state === "Up" || from !== "Up") return;
    counts.downs++;
    echo.forget();
  }

  function send(packet: ControlPacket): void {
    if (!sender) return;
    try {
      const port = options.isMultihop === true ? MULTIHOP_PORT : CONTROL_PORT;
      sender.send(sealPacket(packet, session.settings.authentication), port);
      counts.controlSent++;
      problem = undefined;
    } catch (error) {
      // The next packet tries again; should the path be gone, silence will say so.
      problem = messageOf(error);
    }
  }

  function setTimer(timer: SessionTimer, us: number): void {
    const isDeadline = timer === "detect";
    const due = performance.now() + us / 1_000;
    const known = timers.get(timer);
    // Every packet puts a deadline off: what is running only has to look again.
    if (isDeadline && known?.timeout && !known.immediate && due >= known.due) {
      known.due = due;
      return;
    }
    clearTimer(timer);
    const entry: Timer = { due };
    timers.set(timer, entry);
    if (isDeadline) awaitDeadline(timer, entry);
    else entry.timeout = setTimeout(fire, Math.floor(us / 1_000), timer);
  }

  function fire(timer: SessionTimer): void {
    timers.delete(timer);
    if (timer === "echo") takeEchoes();
    tell({ type: "timer", timer });
  }

  function awaitDeadline(timer: SessionTimer, entry: Timer): void {
    const left = Math.ceil(entry.due - performance.now());
    entry.timeout = setTimeout(
      () => {
        if (performance.now() < entry.due) awaitDeadline(timer, entry);
        else afterReading(entry, fire.bind(undefined, timer));
      },
      Math.max(0, left),
    );
  }

  /**
   * A thread that was kept from running finds the deadline gone by and the packets that would have moved it
   * unread, and reads only some of them in one turn. They come first.
   */
  function afterReading(entry: Timer, fire: () => void, turns = 0): void {
    const before = environment.received();
    entry.immediate = setImmediate(() => {
      if (environment.received() === before || turns >= PATIENCE) fire();
      else afterReading(entry, fire, turns + 1);
    });
  }

  function clearTimer(timer: SessionTimer): void {
    const entry = timers.get(timer);
    clearTimeout(entry?.timeout);
    clearImmediate(entry?.immediate);
    timers.delete(timer);
  }

  function takeEchoes(): void {
    if (wanted.echoTx === 0) return;
    const returned = echo.take();
    counts.echoReceived += returned;
    if (returned > 0) tell({ type: "echoReturned" });
    configure();
  }

  /** There is no echo before it can be sent, or the session would fall for it. */
  function configure(): void {
    const settings = echo.isReady() ? wanted : withoutEcho(wanted);
    if (!isDeepStrictEqual(settings, session.settings)) tell({ type: "configure", settings });
  }

  function openSockets(): void {
    try {
      ports.admit(entrance, neighbor);
      try {
        sender = openSender(options, Math.random);
      } catch (error) {
        ports.dismiss(entrance, neighbor);
        throw error;
      }
      problem = undefined;
      echo.want(wanted.echoTx > 0);
      tell({ type: "start" });
    } catch (error) {
      problem = messageOf(error);
      reopen = setTimeout(openSockets, REOPEN_MS);
      notify();
    }
  }

  function closeSockets(): void {
    clearTimeout(reopen);
    [...timers.keys()].forEach(clearTimer);
    if (!sender) return;
    echo.want(false);
    sender.close();
    sender = undefined;
    ports.dismiss(entrance, neighbor);
  }

  function notify(): void {
    const now = status();
    listeners.forEach(listener => {
      listener(now);
    });
  }

  const status = (): BfdStatus =>
    statusOf(session, problem, { counts: { ...counts }, echoProblem: echo.problem() });

  // Not before the caller has its handle: what fails at once is told as well.
  reopen = setTimeout(openSockets, 0);

  return {
    receive: (packet, payload) => {
      if (forgeryOf(packet, payload, session.settings.authentication) !== undefined) {
        counts.controlDiscarded++;
        return;
      }
      counts.controlReceived++;
      takeEchoes();
      tell({ type: "packet", packet });
    },
    discard: () => {
      counts.controlDiscarded++;
    },
    configure: changed => {
      wanted = sessionSettings(changed);
      if (sender) echo.want(wanted.echoTx > 0);
      configure();
    },
    status,
    onChange: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: async () => {
      const wasMet = session.remote.discriminator !== 0;
      const ms = Math.min(LINGER_MS, patienceOf(session));
      tell({ type: "disable" });
      if (wasMet && sender) await heard(ms, listeners, () => session.remote.state);
      closeSockets();
    },
  };
}

/** Resolves when the neighbor says that it is not up either, or after this time. */
async function heard(
  ms: number,
  listeners: Set<(status: BfdStatus) => void>,
  remote: () => string,
): Promise<void> {
  await new Promise<void>(resolve => {
    const check = (): void => {
      if (remote() === "Up" || remote() === "Init") return;
      clearTimeout(timeout);
      resolve();
    };
    const timeout = setTimeout(resolve, ms);
    listeners.add(check);
    check();
  });
}

/** How long the neighbor waits for us before it takes us for gone, ms. */
function patienceOf({ settings, remote }: SessionState): number {
  return (settings.detectMultiplier * Math.max(settings.desiredMinTx, remote.minRx)) / 1_000;
}

function entranceOf({ address, device, isMultihop = false }: BfdOptions): Entrance {
  const port = isMultihop ? MULTIHOP_PORT : CONTROL_PORT;
  // Link-local senders come with their zone, so one socket serves all links.
  const isBound = device !== undefined && !/^fe[89ab]/i.test(address);
  return { family: familyOf(address), port, ...(isBound && { device }) };
}

function statusOf(
  session: SessionState,
  problem: string | undefined,
  more: Pick<BfdStatus, "counts" | "echoProblem">,
): BfdStatus {
  const { state, diagnostic, remote, transmitInterval } = session;
  return {
    state,
    reason: state === "Up" ? "" : reasonOf(session, problem),
    remoteState: remote.state,
    diagnostic,
    remoteDiagnostic: remote.diagnostic,
    localDiscriminator: session.localDiscriminator,
    remoteDiscriminator: remote.discriminator,
    transmitInterval: inMilliseconds(transmitInterval),
    detectionTime: detectionTime(session) / 1_000,
    echoInterval: inMilliseconds(echoInterval(session)),
    ...more,
  };
}

function inMilliseconds(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / 1_000;
}

function withoutEcho(settings: SessionSettings): SessionSettings {
  return settings.echoTx === 0 ? settings : { ...settings, echoTx: 0 };
}

function reasonOf({ diagnostic, remote }: SessionState, problem: string | undefined): string {
  if (problem !== undefined) return problem;
  if (remote.state === "AdminDown") return "the neighbor has taken it down on purpose";
  if (diagnostic !== 0) return describeDiagnostic(diagnostic);
  return remote.discriminator === 0 ? "the neighbor is not heard" : "the neighbor does not hear us";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
