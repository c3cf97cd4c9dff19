import type { BfdOptions, BfdTimers } from "./options";
import type { BfdState } from "./wire/packet";

/** Watches neighbors. */
export type Bfd = {
  /**
   * Begins to watch. Watchers of one neighbor (the same address, device and kind of path) share a session,
   * which has the timers that were given last.
   *
   * @throws RangeError that names an option that is out of its range.
   */
  watch(options: BfdOptions, onChange: (status: BfdStatus) => void): BfdWatch;
  /** Tells all neighbors that their sessions end on purpose, and ends. */
  stop(): Promise<void>;
};

export type BfdWatch = {
  /** As known last; counters may be a second old. */
  status(): BfdStatus;
  /** Other timers, which the neighbor is told of without the session going down (RFC 5880 section 6.5). */
  configure(timers: BfdTimers): void;
  /** Ends; the last watcher ends the session, of which the neighbor is told. */
  close(): Promise<void>;
};

export type BfdStatus = {
  readonly state: BfdState;
  /** Why it is not up, in words, as far as that is known. */
  readonly reason: string;
  readonly remoteState: BfdState;
  /** Numbers of RFC 5880 section 4.1. */
  readonly diagnostic: number;
  readonly remoteDiagnostic: number;
  readonly localDiscriminator: number;
  /** 0: not known. */
  readonly remoteDiscriminator: number;
  /** Milliseconds between packets before jitter; undefined: none are sent. */
  readonly transmitInterval: number | undefined;
  /** Milliseconds of silence that end the session; 0: nothing was heard yet. */
  readonly detectionTime: number;
  /** Milliseconds between echo packets before jitter; undefined: none are sent. */
  readonly echoInterval: number | undefined;
  /** Why there are none, though they are wanted and the neighbor takes them; empty unless that is known. */
  readonly echoProblem: string;
  readonly counts: BfdCounts;
};

/** Since the session exists; they only grow. */
export type BfdCounts = {
  readonly controlSent: number;
  readonly controlReceived: number;
  /** Received and without effect: malformed, forged, old. */
  readonly controlDiscarded: number;
  readonly echoSent: number;
  /** Those of ours that came back, each once. */
  readonly echoReceived: number;
  readonly ups: number;
  readonly downs: number;
};

export const NO_COUNTS: BfdCounts = {
  ...{ controlSent: 0, controlReceived: 0, controlDiscarded: 0 },
  ...{ echoSent: 0, echoReceived: 0 },
  ...{ ups: 0, downs: 0 },
};
