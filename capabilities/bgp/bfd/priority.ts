/** How soon the kernel runs this thread when its time has come, sched(7). */
import { endianness, getPriority } from "node:os";
import koffi from "koffi";

/**
 * What was granted. `realTime`: it runs before all that has no deadline. `shortTurns`: its turns among the others
 * are short, and so come sooner. `none`: it waits like all others.
 */
export type Preference = "realTime" | "shortTurns" | "none";

const SCHED_RR = 2;
/** What this thread starts is of no such importance. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
const LOWEST = 1;
/** Of sched_setattr(2), which the C library of many systems does not have. */
const CALL_NUMBERS: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 314,
  arm64: 274,
};

/**
 * Asks the kernel to run this thread before all that has no deadline. It sleeps most of the time, and the kernel
 * gives no thread of this kind a whole processor. That needs CAP_SYS_NICE, and a control group that may have such
 * threads; without, it asks for turns as short as there are, which anyone may (Linux from 6.12 on; earlier ones have
 * turns of one length).
 */
export function preferThisThread(): Preference {
  const library = koffi.load(null);
  const schedule = library.func(
    "int sched_setscheduler(int thread, int policy, const int32_t *parameters)",
  );
  if (Number(schedule(0, SCHED_RR | SCHED_RESET_ON_FORK, Int32Array.of(LOWEST))) === 0) {
    return "realTime";
  }
  const number = CALL_NUMBERS[process.arch];
  if (number === undefined) return "none";
  const call = library.func(
    "long syscall(long number, int thread, const uint8_t *attributes, uint flags)",
  );
  return Number(call(number, 0, shortTurns(), 0)) === 0 ? "shortTurns" : "none";
}

const SHORTEST_TURN_NS = 100_000n;

/** struct sched_attr of linux/sched/types.h: this thread as it is but for the length of its turns. */
function shortTurns(): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  const isLittle = endianness() === "LE";
  view.setUint32(0, bytes.length, isLittle);
  view.setInt32(16, getPriority(), isLittle);
  view.setBigUint64(24, SHORTEST_TURN_NS, isLittle);
  return bytes;
}
