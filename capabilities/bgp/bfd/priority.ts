import koffi from "koffi";

const SCHED_RR = 2;
/** What this thread starts is of no such importance. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
const LOWEST = 1;

/**
 * Asks the kernel to run this thread before all that has no deadline. It sleeps most of the time, and the kernel
 * gives no thread of this kind a whole processor. Needs CAP_SYS_NICE: true if it was granted.
 */
export function preferThisThread(): boolean {
  const schedule = koffi
    .load(null)
    .func("int sched_setscheduler(int thread, int policy, const int32_t *parameters)");
  return Number(schedule(0, SCHED_RR | SCHED_RESET_ON_FORK, Int32Array.of(LOWEST))) === 0;
}
