import { isDeepStrictEqual } from "node:util";
import { rangeContains } from "../config/address";
import type { AddressRange, Family } from "../config/address";
import type { Pool } from "../config/config";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { isAvoided } from "./pool-choice";
import { addressOf } from "./vip";

type PoolStatus = NonNullable<IPAddressPool["status"]>;
type Condition = NonNullable<PoolStatus["conditions"]>[number];

/** How much of a pool is in use, by family; each at most `MOST`. */
export type PoolUsage = Required<Omit<PoolStatus, "conditions">>;

/**
 * The most that a counter says. Its field is an int64; a JavaScript number holds no integer between this one and
 * 2^63, which the API server would refuse. MetalLB says 2^63-1 and, of a /64 beside another range, less than 0
 * (metallb#3140).
 */
export const MOST = Number(2n ** 63n - 1024n);

/** Is the configuration sound, as far as this pool goes, and is there an address left in it? */
const VALID = "Valid";
const ADDRESSES_AVAILABLE = "AddressesAvailable";

const NOTHING: PoolUsage = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 0, availableIPv6: 0 };

/**
 * Counts a pool's addresses. One that several Services share counts once; what nobody holds is available, save
 * what `avoidBuggyIPs` leaves out.
 *
 * @param vips - all there are, or those of the pool
 */
export function poolUsage(pool: Pool, vips: readonly VirtualIP[]): PoolUsage {
  const assigned = { ipv4: 0n, ipv6: 0n };
  for (const address of vips.filter(vip => isHeldIn(pool, vip)).flatMap(addressOf)) {
    const isIn = pool.ranges.some(range => rangeContains(range, address));
    if (isIn && !isAvoided(pool, address)) assigned[address.family] += 1n;
  }
  const available = (family: Family): number => capped(capacityOf(pool, family) - assigned[family]);
  return {
    assignedIPv4: capped(assigned.ipv4),
    assignedIPv6: capped(assigned.ipv6),
    availableIPv4: available("ipv4"),
    availableIPv6: available("ipv6"),
  };
}

/** How many addresses of a family the pool can give in all. */
export function capacityOf(pool: Pool, family: Family): bigint {
  return pool.ranges
    .filter(range => range.family === family)
    .map(range => range.last - range.first + 1n - avoidedIn(pool, range))
    .reduce((sum, size) => sum + size, 0n);
}

/** What is known of a pool: what it is used for, and why it is left out of the configuration, if it is. */
export type PoolFindings = { readonly usage: PoolUsage | undefined; readonly problem: string };

/**
 * The merge patch that makes a pool's status say what is; undefined if it does. Others' conditions stay, so it holds
 * for the version that it was made for only.
 */
export function poolStatusPatch(
  pool: IPAddressPool,
  { usage, problem }: PoolFindings,
  now: Date,
): object | undefined {
  const { conditions = [], ...counters } = pool.status ?? {};
  const counted = usage ?? NOTHING;
  const ours = [validCondition(problem), availableCondition(counted)].map(wanted =>
    settle(wanted, conditions, pool.metadata.generation, now),
  );
  const types = ours.map(({ type }) => type);
  const all = [...conditions.filter(({ type }) => !types.includes(type)), ...ours];
  if (isDeepStrictEqual(counters, counted) && isDeepStrictEqual(sorted(conditions), sorted(all))) {
    return undefined;
  }
  const { resourceVersion } = pool.metadata;
  return {
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    status: { ...counted, conditions: all },
  };
}

function isHeldIn(pool: Pool, { spec }: VirtualIP): boolean {
  return spec.pool === pool.name && spec.holders.length > 0;
}

function avoidedIn(pool: Pool, { family, first, last }: AddressRange): bigint {
  if (!pool.avoidBuggyIPs || family !== "ipv4") return 0n;
  const ending = (byte: bigint, until: bigint): bigint => (until + 256n - byte) / 256n;
  return [0n, 255n]
    .map(byte => ending(byte, last) - ending(byte, first - 1n))
    .reduce((sum, count) => sum + count, 0n);
}

function capped(count: bigint): number {
  return count > BigInt(MOST) ? MOST : Number(count);
}

type Wanted = Pick<Condition, "type" | "status" | "reason" | "message">;

function validCondition(problem: string): Wanted {
  return problem === ""
    ? { type: VALID, status: "True", reason: "InUse", message: "The pool is in use." }
    : { type: VALID, status: "False", reason: "ConfigurationError", message: problem };
}

function availableCondition({ availableIPv4, availableIPv6 }: PoolUsage): Wanted {
  const isFree = availableIPv4 > 0 || availableIPv6 > 0;
  return isFree
    ? {
        type: ADDRESSES_AVAILABLE,
        status: "True",
        reason: "AddressesFree",
        message: "There are addresses that no Service holds.",
      }
    : {
        type: ADDRESSES_AVAILABLE,
        status: "False",
        reason: "Exhausted",
        message:
          "The pool has no address left; add addresses to spec.addresses, or delete Services.",
      };
}

/** The condition as it was, if it still says the truth about the pool as it is now. */
function settle(
  wanted: Wanted,
  before: readonly Condition[],
  generation: number | undefined,
  now: Date,
): Condition {
  const old = before.find(({ type }) => type === wanted.type);
  const time = now.toISOString().replace(/\.\d+Z$/, "Z");
  const isSame = old?.status === wanted.status;
  return {
    ...wanted,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: isSame ? old.lastTransitionTime : time,
  };
}

function sorted(conditions: readonly Condition[]): readonly Condition[] {
  return [...conditions].sort((a, b) => (a.type < b.type ? -1 : 1));
}
