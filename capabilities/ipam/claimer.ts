import type { IpAddress } from "../config/address";
import { parseVipName } from "../config/vip-name";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import type { Choice, Draw } from "./allocator";
import { isSameHolder, joinRefusal } from "./claim";
import type { Claims, IsMine } from "./claims";
import type { Ledger } from "./ledger";
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

  async function take(choice: Choice): Promise<boolean> {
    ledger.reserve(choice.address, now() + RESERVATION_MS);
    try {
      return (await claims.take(choice, "lowest free address", mine)) !== undefined;
    } catch (error) {
      ledger.unreserve(choice.address);
      throw error;
    }
  }

  return {
    ...common(options, isMine),
    keep: async choice => {
      const isShared = ledger.get(choice.address)?.spec.holders.some(other => !isMine(other));
      const reason = isShared ? "shared" : "already assigned";
      return (await claims.hold(choice, reason, mine, isMine)).ok;
    },
    take,
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
    keep: ({ address }) =>
      Promise.resolve(joinRefusal(others(ledger.get(address), isMine), mine) === undefined),
    take: () => Promise.resolve(true),
    undo: () => Promise.resolve(),
  };
}

function common(
  { ledger, mine, now, deadline = Infinity }: Omit<ClaimerOptions, "claims">,
  isMine: IsMine,
): Pick<Claimer, "taken" | "shareable" | "isOutOfTime"> {
  ledger.expire(now());
  return {
    taken: ledger,
    isOutOfTime: () => now() > deadline,
    shareable: draw =>
      ledger
        .sharedUnder(mine.sharingKey ?? "")
        .filter(vip => joinRefusal(others(vip, isMine), mine) === undefined)
        .flatMap(vip => choiceIn(draw, vip)),
  };
}

function others(vip: VirtualIP | undefined, isMine: IsMine): readonly Holder[] {
  return (vip?.spec.holders ?? []).filter(holder => !isMine(holder));
}

function choiceIn({ family, pools }: Draw, vip: VirtualIP): readonly Choice[] {
  const address: IpAddress | undefined = parseVipName(vip.metadata.name ?? "");
  const pool = pools.find(({ name }) => name === vip.spec.pool);
  return address?.family === family && pool ? [{ address, pool }] : [];
}
