import { createAddressSet } from "../../capabilities/ipam/address-set";
import { candidates } from "../../capabilities/ipam/allocator";
import type { Draw } from "../../capabilities/ipam/allocator";
import { parseConfig } from "../../capabilities/config/config";
import type { Aim } from "../report";
import { median, round } from "../report";

const rounds = 5;
const churnSteps = 50_000;

/** Gives the lowest free address of one pool, and takes addresses back. */
type Allocator = { claim(): bigint | undefined; free(value: bigint): void };

type Measured = {
  /** µs per claim while a pool of that prefix length is filled from empty to full. */
  readonly fill24: number;
  readonly fill16: number;
  readonly fill12: number;
  /** µs per claim for the last 256 addresses of a pool that is full but for them. */
  readonly last16: number;
  readonly last12: number;
  /** µs per free and claim in a full /16. */
  readonly churn16: number;
  /** µs per claim of a scan from the first address on, as MetalLB does it, over a /20. */
  readonly scan20: number;
};

/**
 * The pure allocator: filling a /16, churn in a full one, and growth from a /24 to a /12. Beside it a plain scan over a
 * set of what is taken, turn by turn in the same run; it gets a /20, for a /16 would take it minutes.
 */
export function benchAllocator(): readonly Aim[] {
  const measured = Array.from({ length: rounds }, measureRound);
  const of = (key: keyof Measured): number => median(measured.map(one => one[key]));
  const ratio = (a: keyof Measured, b: keyof Measured): number =>
    median(measured.map(one => one[a] / one[b]));
  const perSecond = (key: keyof Measured): number => round(1e6 / of(key));
  const fill = ratio("fill16", "scan20");
  const churn = ratio("churn16", "fill16");
  const growth = ratio("last12", "fill24");
  return [
    {
      name: "filling a /16, time per address as a ratio to a scan that fills a /20",
      value: round(fill),
      unit: "ratio",
      aim: "≤ 0.2",
      holds: fill <= 0.2,
      peers: {
        "addresses per second": perSecond("fill16"),
        "of the scan, in a pool 16 times smaller": perSecond("scan20"),
      },
    },
    {
      name: "freeing and claiming in a full /16, as a ratio to a claim while filling it",
      value: round(churn),
      unit: "ratio",
      aim: "≤ 5",
      holds: churn <= 5,
      peers: { "frees and claims per second": perSecond("churn16") },
    },
    {
      name: "the last claims of a /12 as a ratio to those of a /24, 4,096 times smaller",
      value: round(growth),
      unit: "ratio",
      aim: "≤ 5",
      holds: growth <= 5,
      peers: {
        "µs in a /24": round(of("fill24")),
        "µs in a /16": round(of("fill16")),
        "µs in a /12": round(of("fill12")),
        "µs for the last of a /16": round(of("last16")),
        "µs for the last of a /12": round(of("last12")),
      },
    },
  ];
}

function measureRound(): Measured {
  const large = createAllocator(12);
  const middle = createAllocator(16);
  const fill16 = fillTime(middle, 2 ** 16 - 256);
  const last16 = fillTime(middle, 256);
  const fill12 = fillTime(large, 2 ** 20 - 256);
  const last12 = fillTime(large, 256);
  const many = Array.from({ length: 100 }, () => createAllocator(24));
  const fill24 = median(many.map(one => fillTime(one, 256)));
  const scan20 = fillTime(createScan(20), 2 ** 12);
  const churn16 = churnTime(middle);
  return { fill24, fill16, fill12, last16, last12, churn16, scan20 };
}

const FIRST = 10n << 24n;

function createAllocator(prefixLength: number): Allocator {
  const raw = { metadata: { name: "pool" }, spec: { addresses: [`10.0.0.0/${prefixLength}`] } };
  const { pools } = parseConfig({ pools: [raw], l2Ads: [] }).config;
  const draw: Draw = { family: "ipv4", pools };
  const taken = createAddressSet(32);
  const source = { nextFree: (_: string, from: bigint) => taken.nextAbsent(from) };
  return {
    claim: () => {
      for (const { address } of candidates(draw, source)) {
        taken.add(address.value);
        return address.value;
      }
      return undefined;
    },
    free: value => {
      taken.delete(value);
    },
  };
}

function createScan(prefixLength: number): Allocator {
  const taken = new Set<number>();
  const first = Number(FIRST);
  return {
    claim: () => {
      for (let value = first; value < first + 2 ** (32 - prefixLength); value++) {
        if (taken.has(value)) continue;
        taken.add(value);
        return BigInt(value);
      }
      return undefined;
    },
    free: value => {
      taken.delete(Number(value));
    },
  };
}

/** µs per claim. */
function fillTime(allocator: Allocator, count: number): number {
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    if (allocator.claim() === undefined) throw new Error(`the pool was full after ${i} claims`);
  }
  return ((performance.now() - begin) * 1_000) / count;
}

/** µs per free and claim, of addresses all over the pool: a step of a prime length, so that all have their turn. */
function churnTime(allocator: Allocator): number {
  const begin = performance.now();
  for (let i = 0; i < churnSteps; i++) {
    const value = FIRST + BigInt((i * 40_503) % 2 ** 16);
    allocator.free(value);
    if (allocator.claim() !== value)
      throw new Error("a freed address was not the one to be claimed");
  }
  return ((performance.now() - begin) * 1_000) / churnSteps;
}
