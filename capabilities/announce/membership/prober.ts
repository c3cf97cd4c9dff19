import { parseAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import type { AnswerSocket } from "../packet/packet-socket";
import { answeredAddress, queryOn } from "../packet/query";
import { NO_CASES, isGone, nextRound } from "./witness";
import type { Suspects, Suspicion } from "./witness";

/** Asks the wire for the addresses of owners that fell silent. */
export type Prober = {
  /** Whom to suspect from now on; with nobody to suspect it is at rest and hears nothing. */
  suspect(suspects: Suspects): void;
  isGone(owner: string, address: string): boolean;
  suspicion(): Suspicion;
  /** A number that is another one whenever `isGone` says something else than before. */
  verdicts(): number;
  stop(): void;
};

export type ProberOptions = {
  readonly openSocket: () => AnswerSocket;
  /** Sends one frame; may throw. */
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  /** The links to ask on. */
  readonly links: () => readonly Link[];
  /** Time between two rounds of questions, ms. */
  readonly roundMs: number;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Called when `isGone` says something else of an address than before. */
  readonly onVerdict: () => void;
  readonly onError: (error: unknown) => void;
};

/** Frames read in one round: a flood must not keep the process here. */
const FRAMES_PER_ROUND = 1024;
/** A round that begins late does not put off those after it, but each question has so much of a round to be answered. */
const LEAST_ROUND = 0.6;

export function createProber(options: ProberOptions): Prober {
  let suspects: Suspects = new Map();
  let witness = NO_CASES;
  let socket: AnswerSocket | undefined;
  let cancel: (() => void) | undefined;
  let verdict = "";
  let verdicts = 0;
  let dueAt = 0;

  function rest(): void {
    cancel?.();
    socket?.close();
    if (verdict !== "") verdicts += 1;
    [cancel, socket, witness, verdict] = [undefined, undefined, NO_CASES, ""];
  }

  function noteVerdict(): void {
    const gone = [...suspects].map(([owner, all]) => all.filter(a => isGone(witness, owner, a)));
    const text = gone.flat().join();
    if (text === verdict) return;
    verdict = text;
    verdicts += 1;
    options.onVerdict();
  }

  function round(): void {
    try {
      socket ??= options.openSocket();
      const next = nextRound(witness, suspects, heardFrom(socket));
      // Who cannot ask, for want of a link that carries, may not condemn.
      witness = options.links().length > 0 ? next.witness : NO_CASES;
      for (const address of next.ask) ask(options, address);
    } catch (error) {
      // Without an ear nobody may be condemned.
      witness = NO_CASES;
      options.onError(error);
    }
    const { now, roundMs } = options;
    dueAt = Math.max(dueAt + roundMs, now() + LEAST_ROUND * roundMs);
    cancel = options.after(dueAt - now(), round);
    noteVerdict();
  }

  return {
    suspect: next => {
      suspects = next;
      if (suspects.size === 0) rest();
      else if (!cancel) {
        dueAt = options.now();
        round();
      }
    },
    isGone: (owner, address) => isGone(witness, owner, address),
    suspicion: () => (verdict !== "" ? "verdict" : suspects.size > 0 ? "asked" : "none"),
    verdicts: () => verdicts,
    stop: () => {
      suspects = new Map();
      rest();
    },
  };
}

function heardFrom(socket: AnswerSocket): ReadonlySet<string> {
  const answered = new Set<string>();
  for (let i = 0; i < FRAMES_PER_ROUND; i++) {
    const frame = socket.receive();
    if (!frame) break;
    const address = answeredAddress(frame);
    if (address !== undefined) answered.add(address);
  }
  return answered;
}

function ask({ links, send, onError }: ProberOptions, text: string): void {
  const address = parseAddress(text);
  if (!address) return;
  for (const link of links()) {
    const query = queryOn(link, address);
    if (!query) continue;
    try {
      send(link.index, query);
    } catch (error) {
      onError(error);
    }
  }
}
