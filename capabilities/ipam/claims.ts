import { isDeepStrictEqual } from "node:util";
import type { IpAddress } from "../config/address";
import { virtualIPResource } from "../config/kinds/virtual-ip";
import type { Holder, Released, VirtualIP } from "../config/kinds/virtual-ip";
import { vipName } from "../config/vip-name";
import type { KubeClient } from "../kube/client";
import { isReason } from "../kube/errors";
import type { ResourceKind } from "../kube/resource";
import type { Choice } from "./allocator";
import { buildVirtualIP, isPending, isSameHolder, joinRefusal } from "./claim";
import type { ClaimReason, JoinRefusal } from "./claim";
import { isInConflict } from "./ledger";
import type { Ledger } from "./ledger";
import { summarized, summaryOf } from "./summary";

export const virtualIPs: ResourceKind<VirtualIP> = virtualIPResource;

/** An address is held now, or it is not, because of somebody else. */
export type HoldResult =
  | { readonly ok: true; readonly vip: VirtualIP }
  | { readonly ok: false; readonly refusal: JoinRefusal };

/**
 * Claims on addresses, kept in the cluster. Creating a VirtualIP is the lock; changing one is a
 * compare-and-swap on its resourceVersion. So any number of processes may call these at once.
 */
export type Claims = {
  /** Claims an address that looks free: undefined if somebody has it already. One call. */
  take(choice: Choice, reason: ClaimReason, mine: Holder): Promise<VirtualIP | undefined>;
  /**
   * Makes sure that `mine` is among the holders, exactly as given: creates, confirms (`isMine` tells
   * which holder stands for the same Service), refreshes or joins, whichever is needed.
   */
  hold(choice: Choice, reason: ClaimReason, mine: Holder, isMine?: IsMine): Promise<HoldResult>;
  /**
   * Takes the matching holders out, and the VirtualIP with the last one; given the time `at`, it stays and remembers
   * the last one, if that held it for good. What was remembered before a claim that came to nothing stays anyway, and
   * so does a VirtualIP that a host outside the cluster has.
   */
  release(vip: VirtualIP, isLeaving: IsMine, at?: number): Promise<void>;
  /** Makes the VirtualIP say who holds it, if it is still the one that was looked at. */
  summarize(vip: VirtualIP): Promise<void>;
  /** What the API server says now; undefined if nobody holds the address. */
  read(address: IpAddress): Promise<VirtualIP | undefined>;
};

export type IsMine = (holder: Holder) => boolean;

const ATTEMPTS = 5;

type SpecPatch = Partial<Omit<VirtualIP["spec"], "released">> & {
  readonly released?: Released | null;
};

/**
 * Makes the API server forget which writer set which field, and keep no more book of that. All writers of a VirtualIP are
 * Ancho's own, and that book would be sent to everybody who watches with each change.
 */
const UNTRACKED = [{}];

type Entry = { readonly reason: ClaimReason; readonly mine: Holder; readonly isMine: IsMine };

export function createClaims(client: KubeClient, ledger: Ledger): Claims {
  async function read(address: IpAddress): Promise<VirtualIP | undefined> {
    const name = vipName(address);
    try {
      const vip = await client.get(virtualIPs, name);
      ledger.observe(vip);
      return vip;
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
      ledger.forget(name);
      return undefined;
    }
  }

  async function take(
    { address, pool }: Choice,
    reason: ClaimReason,
    mine: Holder,
  ): Promise<VirtualIP | undefined> {
    try {
      const object = summarized(buildVirtualIP(address, pool.name, reason, mine));
      const vip = await client.create(virtualIPs, object);
      ledger.observe(vip);
      return vip;
    } catch (error) {
      if (isReason(error, "AlreadyExists")) return undefined;
      throw error;
    }
  }

  /**
   * Compare-and-swap of parts of the spec, and of what follows from them, in one write; undefined if the VirtualIP is
   * not the one we knew.
   */
  async function swap(vip: VirtualIP, spec: SpecPatch): Promise<VirtualIP | undefined> {
    const { name = "", resourceVersion = "" } = vip.metadata;
    try {
      const { phase, service } = summaryOf({ ...vip, spec: specAfter(vip.spec, spec) });
      const patch = {
        metadata: { resourceVersion, managedFields: UNTRACKED },
        spec: { ...spec, phase, service },
      };
      const swapped = await client.mergePatch(virtualIPs, name, patch);
      ledger.observe(swapped);
      return swapped;
    } catch (error) {
      if (isReason(error, "Conflict") || isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async function hold(
    choice: Choice,
    reason: ClaimReason,
    mine: Holder,
    isMine: IsMine = holder => isSameHolder(holder, mine),
  ): Promise<HoldResult> {
    let vip = ledger.get(choice.address);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const done = vip
        ? await enter(vip, choice, { reason, mine, isMine })
        : await create(choice, reason, mine);
      if (done) return done;
      vip = await read(choice.address);
    }
    throw new Error(`VirtualIP ${vipName(choice.address)} changes too often to be claimed`);
  }

  async function create(
    choice: Choice,
    reason: ClaimReason,
    mine: Holder,
  ): Promise<HoldResult | undefined> {
    const vip = await take(choice, reason, mine);
    return vip && { ok: true, vip };
  }

  async function enter(
    vip: VirtualIP,
    { address, pool }: Choice,
    { reason, mine, isMine }: Entry,
  ): Promise<HoldResult | undefined> {
    const others = vip.spec.holders.filter(holder => !isMine(holder));
    const refusal = joinRefusal(vip.spec.holders, { mine, sharing: pool.sharing, isMine });
    if (refusal) {
      // The cache may be behind: a refusal is believed only if it is so in the cluster.
      const now = await read(address);
      const isTrue = now?.metadata.resourceVersion === vip.metadata.resourceVersion;
      return isTrue ? { ok: false, refusal } : undefined;
    }
    const before = vip.spec.holders.find(isMine);
    const after = before && !isPending(mine) ? { ...mine, claimedAt: before.claimedAt } : mine;
    if (isDeepStrictEqual(before, after) && vip.spec.pool === pool.name) return { ok: true, vip };
    const entry = {
      pool: pool.name,
      holders: [...others, after],
      ...afterwards(vip, after, reason),
    };
    const swapped = await swap(vip, entry);
    return swapped && { ok: true, vip: swapped };
  }

  async function release(vip: VirtualIP, isLeaving: IsMine, at?: number): Promise<void> {
    const rest = vip.spec.holders.filter(holder => !isLeaving(holder));
    const isChanged = rest.length < vip.spec.holders.length;
    const released = rest.length > 0 || !isChanged ? undefined : memoryOf(vip, at);
    if (rest.length === 0 && !released && !isInConflict(vip)) await remove(vip);
    else if (
      isChanged &&
      !(await swap(vip, { holders: rest, ...(released ? { released } : {}) }))
    ) {
      throw new Error(`VirtualIP ${vip.spec.address} changed while it was released`);
    }
  }

  async function remove({ metadata }: VirtualIP): Promise<void> {
    const { name = "", resourceVersion = "", uid = "" } = metadata;
    try {
      await client.delete(virtualIPs, name, { resourceVersion, uid });
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
    ledger.forget(name);
  }

  async function summarize(vip: VirtualIP): Promise<void> {
    await swap(vip, {});
  }

  return { take, hold, release, read, summarize };
}

function specAfter(spec: VirtualIP["spec"], patch: SpecPatch): VirtualIP["spec"] {
  const { released, ...rest } = { ...spec, ...patch };
  return released ? { ...rest, released } : rest;
}

/** What an entry changes beside the holders. A claim that comes to nothing must not cost the one before it its address. */
function afterwards({ spec }: VirtualIP, mine: Holder, reason: ClaimReason): SpecPatch {
  return {
    ...(spec.holders.length === 0 ? { reason } : {}),
    ...(isPending(mine) || !spec.released ? {} : { released: null }),
  };
}

/** Whom to remember when the last holders leave: one that held the address for good, or who was remembered. */
function memoryOf({ spec }: VirtualIP, at: number | undefined): Released | undefined {
  const last = at === undefined ? undefined : spec.holders.find(one => one.name && !isPending(one));
  if (!last?.name || at === undefined) return spec.released;
  const { namespace, name } = last;
  return { namespace, name, at: new Date(at).toISOString() };
}
