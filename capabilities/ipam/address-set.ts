const BITS = 5n;
const WORD_MASK = 31n;
const FULL = 0xffff_ffff;

/**
 * A set of numbers from 0 to 2^width-1 that finds the lowest number that is *not* in it: a tree of
 * 32-bit words, where a bit of an upper word says that the word below it is full. Adding, deleting and
 * searching look at one word per level, that is at most width/5 words, however many numbers are in the
 * set and however they lie; words without a bit set take no memory.
 */
export type AddressSet = {
  has(value: bigint): boolean;
  add(value: bigint): void;
  delete(value: bigint): void;
  /** The lowest number >= `from` that is not in the set; undefined if all up to 2^width-1 are. */
  nextAbsent(from: bigint): bigint | undefined;
};

/** @param width - of the numbers, in bits: 32 for IPv4, 128 for IPv6 */
export function createAddressSet(width: number): AddressSet {
  const levels = Array.from({ length: Math.ceil(width / 5) }, () => new Map<bigint, number>());
  const end = 1n << BigInt(width);

  const wordAt = (level: number, index: bigint): number => levels[level]?.get(index) ?? 0;

  function store(level: number, index: bigint, word: number): void {
    if (word === 0) levels[level]?.delete(index);
    else levels[level]?.set(index, word);
  }

  function add(value: bigint): void {
    let bit = value;
    for (let level = 0; level < levels.length; level++) {
      const index = bit >> BITS;
      const word = (wordAt(level, index) | maskOf(bit)) >>> 0;
      store(level, index, word);
      if (word !== FULL) return;
      bit = index;
    }
  }

  function remove(value: bigint): void {
    let bit = value;
    for (let level = 0; level < levels.length; level++) {
      const index = bit >> BITS;
      const before = wordAt(level, index);
      store(level, index, (before & ~maskOf(bit)) >>> 0);
      if (before !== FULL) return;
      bit = index;
    }
  }

  /** The lowest absent number below the absent bit `bit` of `level`. */
  function descend(level: number, bit: bigint): bigint {
    let found = bit;
    for (let below = level - 1; below >= 0; below--) {
      found = (found << BITS) | BigInt(lowestZero(wordAt(below, found)));
    }
    return found;
  }

  function nextAbsent(from: bigint): bigint | undefined {
    let bit = from;
    for (let level = 0; level < levels.length; level++) {
      const index = bit >> BITS;
      const skipped = (maskOf(bit) - 1) >>> 0;
      const word = (wordAt(level, index) | skipped) >>> 0;
      if (word !== FULL) {
        const found = descend(level, (index << BITS) | BigInt(lowestZero(word)));
        return found < end ? found : undefined;
      }
      bit = index + 1n;
    }
    return undefined;
  }

  return {
    has: value => (wordAt(0, value >> BITS) & maskOf(value)) !== 0,
    add,
    delete: remove,
    nextAbsent,
  };
}

function maskOf(bit: bigint): number {
  return (1 << Number(bit & WORD_MASK)) >>> 0;
}

/** Position of the lowest zero bit of a word that is not full. */
function lowestZero(word: number): number {
  const inverted = ~word;
  return 31 - Math.clz32(inverted & -inverted);
}
