import { rangeContains } from "../config/address";
import type { IpAddress } from "../config/address";
import { parseVipName } from "../config/vip-name";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import type { Choice, Draw } from "./allocator";
import { isSameHolder, joinRefusal } from "./claim";
import type { Claims, IsMine } from "./claims";
import { isReleased } from "./ledger";
import type { Ledger } from "./ledger";
import { isAvoided } from "./pool-choice";
import type { Claimer } from "./serve";

/** An address that somebody else got first is passed over until the watch should have shown it. */
const RESERVATION_MS = 10_000;

export type ClaimerOptions = {
  readonly claims: Claims;
  readonly ledger: Ledger;
  /** The Service, as the holder it will be. */
  readonly mine: Holder;
  /** Which holders stand for the same Service. */
  readonly isMine?: IsMine;
  readonly now: () => number;
  /** When to stop trying, in ms since the epoch. */
  readonly deadline?: number;
};

/** Claims for good, in the cluster. */
export function createClaimer(options: ClaimerOptions): Claimer {
  const { claims, ledger, mine, now } = options;
  const isMine = options.isMine ?? (holder => isSameHolder(holder, mine));

  /** Nobody else in this process tries the same address meanwhile. */
  async function reserving(choice: Choice, claim: () => Promise<boolean>): Promise<boolean> {
    ledger.reserve(choice.address, now() + RESERVATION_MS);
    try {
      return await claim();
    } catch (error) {
      ledger.unreserve(choice.address);
      throw error;
    }
  }

  return {
    ...common(options, isMine),
    keep: async choice => {
      const vip = ledger.get(choice.address);
      const isShared = vip?.spec.holders.some(other => !isMine(other));
      const wasMine = vip && isReleased(vip) ? "held before" : "already assigned";
      const reason = isShared ? "shared" : wasMine;
      return (await claims.hold(choice, reason, mine, isMine)).ok;
    },
    take: choice =>
      reserving(choice, async () => {
        const isTaken = (await claims.take(choice, "lowest free address", mine)) !== undefined;
        if (!isTaken) ledger.noteLost(now());
        return isTaken;
      }),
    takeOver: choice =>
      reserving(choice, async () => {
        return (await claims.hold(choice, "free for the longest time", mine, isMine)).ok;
      }),
    undo: async ({ address }) => {
      const vip = ledger.get(address);
      if (vip) await claims.release(vip, isMine);
    },
  };
}

/** Chooses as the other one would, and claims nothing. */
export function createDryClaimer(options: Omit<ClaimerOptions, "claims">): Claimer {
  const { ledger, mine } = options;
  const isMine = options.isMine ?? (holder => isSameHolder(holder, mine));
  return {
    ...common(options, isMine),
    keep: ({ address, pool: { sharing } }) => {
      const holders = ledger.get(address)?.spec.holders ?? [];
      return Promise.resolve(joinRefusal(holders, { mine, sharing, isMine }) === undefined);
    },
    take: () => Promise.resolve(true),
    takeOver: () => Promise.resolve(true),
    undo: () => Promise.resolve(),
  };
}

function common(
  { ledger, mine, now, deadline = Infinity }: Omit<ClaimerOptions, "claims">,
  isMine: IsMine,
): Pick<Claimer, "taken" | "headStart" | "shareable" | "kept" | "isOutOfTime"> {
  ledger.expire(now());
  return {
    taken: ledger,
    headStart: () => ledger.headStart(now()),
    isOutOfTime: () => now() > deadline,
    kept: draw => ledger.released().flatMap(vip => choiceIn(draw, vip)),
    shareable: draw =>
      ledger.sharedUnder(mine.sharingKey ?? "").flatMap(vip =>
        choiceIn(draw, vip).filter(({ pool: { sharing } }) => {
          return joinRefusal(vip.spec.holders, { mine, sharing, isMine }) === undefined;
        }),
      ),
  };
}

/** A VirtualIP as a choice, if a pool of the draw has its address; the pool that it was of may have shrunk since. */
function choiceIn({ family, pools }: Draw, vip: VirtualIP): readonly Choice[] {
  const address: IpAddress | undefined = parseVipName(vip.metadata.name ?? "");
  if (address?.family !== family) return [];
  const pool = pools.find(one => one.ranges.some(range => rangeContains(range, address)));
  return pool && !isAvoided(pool, address) ? [{ address, pool }] : [];
}
