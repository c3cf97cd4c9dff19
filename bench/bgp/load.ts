/** What an announcer is given in a run, and what everybody in the benchmark agrees on. */
export type Load = {
  readonly prefixes: number;
  /** Where receivers wait; one session to each. */
  readonly peers: readonly string[];
  readonly port: number;
};

export const announcerAs = 65_002;
export const receiverAs = 65_001;
export const announcerAddress = "127.0.0.1";

/** The first of the prefixes: 198.18.0.0/15 is for benchmarks (RFC 2544) and has 131,072 of them. */
const FIRST = (198 << 24) + (18 << 16);

/** The addresses that receivers wait at, for so many sessions. */
export const peerAddresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `127.0.1.${i + 1}`);

/** Prefix number `index`, a /32. */
export function prefixAt(index: number): string {
  const value = FIRST + index;
  return `${[24, 16, 8, 0].map(shift => (value >>> shift) & 255).join(".")}/32`;
}

/** A clock that all processes of the machine share, ms. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
