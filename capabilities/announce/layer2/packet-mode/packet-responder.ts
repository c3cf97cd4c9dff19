import { startWorker } from "../../../bgp/index";
import { openWakeUp } from "./sockets";
import type { WakeUp } from "./sockets";

/** An address that frames are to answer for on an interface. */
export type PacketBinding = {
  /** Canonical text. */
  readonly address: string;
  readonly interfaceIndex: number;
  /** The interface's hardware address in text. */
  readonly mac: string;
  readonly linkLocal?: string;
  /** The address is one of the node's own, and not only proxied. */
  readonly isLocal: boolean;
};

/** To the thread that answers; after each, it must be woken. */
export type Order =
  | { readonly do: "answer"; readonly turn: number; readonly bindings: readonly PacketBinding[] }
  | { readonly do: "stop" };

/** And back. */
export type Report =
  | { readonly is: "answering"; readonly turn: number; readonly problem?: string }
  | { readonly is: "counts"; readonly counts: readonly AnswerCount[] };

/** What became of the questions for an address since the last report. */
export type AnswerCount = {
  readonly address: string;
  readonly asked: number;
  readonly answered: number;
};

/** Answers by frames of its own where the kernel does not. */
export type PacketResponder = {
  /**
   * From now on answer for these and no others. Resolves when that is so, with a sentence if it cannot be.
   * A thread is started when there is something to answer for the first time.
   */
  answer(bindings: readonly PacketBinding[]): Promise<string | undefined>;
  /** Has the thread ready for when it is needed. */
  warm(): void;
  stop(): Promise<void>;
};

/**
 * Answers in a thread of its own, which sleeps in the kernel until a question comes that a socket filter lets
 * through: so neither other traffic nor what the main thread does delays an answer or costs anything.
 */
export function createPacketResponder(
  onCounts: (counts: readonly AnswerCount[]) => void,
): PacketResponder {
  let thread:
    | { readonly worker: ReturnType<typeof startWorker>; readonly bell: WakeUp }
    | undefined;
  let turn = 0;
  let said = "[]";
  let problem: string | undefined;
  const waiting = new Map<number, (problem: string | undefined) => void>();

  function wake(): void {
    thread?.bell.wake();
  }

  function start(): NonNullable<typeof thread> {
    const bell = openWakeUp();
    const code = { source: "thread-main.ts", bundle: "packet-thread.js" };
    const worker = startWorker(import.meta.url, code, { wakeUpFd: bell.fd });
    worker.on("message", (report: Report) => {
      if (report.is === "counts") onCounts(report.counts);
      else waiting.get(report.turn)?.(report.problem);
    });
    // A process that ends waits for its threads, and this one sleeps.
    process.once("exit", wake);
    return { worker, bell };
  }

  function tell(order: Order): void {
    thread ??= start();
    thread.worker.postMessage(order);
    wake();
  }

  return {
    answer: async bindings => {
      const text = JSON.stringify(bindings);
      // What failed is tried again.
      if (text === said && problem === undefined) return undefined;
      turn += 1;
      const current = turn;
      problem = await new Promise<string | undefined>(resolve => {
        waiting.set(current, resolve);
        tell({ do: "answer", turn: current, bindings });
      });
      waiting.delete(current);
      said = text;
      return problem;
    },
    warm: () => {
      thread ??= start();
    },
    stop: async () => {
      if (!thread) return;
      const { worker, bell } = thread;
      const ended = new Promise(resolve => worker.once("exit", resolve));
      tell({ do: "stop" });
      await ended;
      thread = undefined;
      process.off("exit", wake);
      bell.close();
    },
  };
}
