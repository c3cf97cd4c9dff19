import koffi from "koffi";

/** Of linux/capability.h: the version of the structures that have 64 bits, in two halves. */
const VERSION = 0x2008_0522;
const CAP_SYS_NICE = 23;
/** The capget(2) structure of one half: effective, permitted, inheritable. */
const WORDS_OF_HALF = 3;

/**
 * Takes from this thread, and from those that it starts from now on, the right to be preferred by the kernel: as a
 * container has it not, unless it is given the capability SYS_NICE.
 */
export function giveUpPriority(): void {
  const library = koffi.load(null);
  const read = library.func("int capget(uint32_t *header, _Out_ uint32_t *sets)");
  const write = library.func("int capset(uint32_t *header, const uint32_t *sets)");
  const header = Uint32Array.of(VERSION, 0);
  const sets = new Uint32Array(2 * WORDS_OF_HALF);
  if (Number(read(header, sets)) !== 0) throw new Error(`capget: errno ${koffi.errno()}`);
  const less = sets.map((word, at) => (at < WORDS_OF_HALF ? word & ~(1 << CAP_SYS_NICE) : word));
  if (Number(write(header, less)) !== 0) throw new Error(`capset: errno ${koffi.errno()}`);
}
