import { ADDRESS_BITS } from "../config/address";
import type { Family, IpAddress } from "../config/address";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { parseVipName, vipName } from "../config/vip-name";
import { createAddressSet } from "./address-set";
import type { AddressSet } from "./address-set";
import type { TakenAddresses } from "./allocator";
import { createContention } from "./contention";
import type { Contention } from "./contention";

/**
 * What this process knows of the VirtualIPs: a cache, so always a bit behind. It makes good guesses
 * cheap and decides nothing: who holds an address is decided by the API server.
 */
export type Ledger = TakenAddresses &
  Contention & {
    /** Takes in a VirtualIP as a watch or a write has shown it; an older version changes nothing. */
    observe(vip: VirtualIP): void;
    /** Takes in that there is no VirtualIP of this name any more. */
    forget(name: string): void;
    /** Makes the ledger hold exactly these, whatever it missed. */
    resync(vips: readonly VirtualIP[]): void;
    get(address: IpAddress): VirtualIP | undefined;
    /** The VirtualIPs that a Service holds, by its `namespace/name`. */
    heldBy(serviceKey: string): readonly VirtualIP[];
    /** The VirtualIPs that are shared under a key, in the order of their names. */
    sharedUnder(key: string): readonly VirtualIP[];
    /**
     * The VirtualIPs that are kept for a Service which had them, by its `namespace/name`, the latest first; none that a
     * host outside the cluster has.
     */
    keptFor(serviceKey: string): readonly VirtualIP[];
    /**
     * All that nobody holds and that are kept for somebody, the earliest freed first; no reserved ones, and none that a
     * host outside the cluster has.
     */
    released(): readonly VirtualIP[];
    /** Passes over an address for a while: a claim for it is under way, or somebody was faster. */
    reserve(address: IpAddress, until: number): void;
    unreserve(address: IpAddress): void;
    /** Ends the reservations whose time is over at `now`. */
    expire(now: number): void;
  };

export function createLedger(random: () => number = Math.random): Ledger {
  const known = new Map<string, VirtualIP>();
  const services = createIndex();
  const sharingKeys = createIndex();
  const lastHolders = createIndex();
  const free = new Map<string, VirtualIP>();
  const reserved = new Map<string, { address: IpAddress; until: number }>();
  const taken: Readonly<Record<Family, AddressSet>> = {
    ipv4: createAddressSet(ADDRESS_BITS.ipv4),
    ipv6: createAddressSet(ADDRESS_BITS.ipv6),
  };

  function forget(name: string): void {
    const vip = known.get(name);
    const address = parseVipName(name);
    if (!vip || !address) return;
    known.delete(name);
    services.remove(name, serviceKeysOf(vip));
    sharingKeys.remove(name, sharingKeysOf(vip));
    lastHolders.remove(name, lastHolderOf(vip));
    free.delete(name);
    if (!reserved.has(name)) taken[address.family].delete(address.value);
  }

  function observe(vip: VirtualIP): void {
    const name = vip.metadata.name ?? "";
    const address = parseVipName(name);
    if (!address || isOlder(vip, known.get(name))) return;
    reserved.delete(name);
    forget(name);
    known.set(name, vip);
    services.add(name, serviceKeysOf(vip));
    sharingKeys.add(name, sharingKeysOf(vip));
    lastHolders.add(name, lastHolderOf(vip));
    if (isReleased(vip)) free.set(name, vip);
    taken[address.family].add(address.value);
  }

  function unreserve(address: IpAddress): void {
    const name = vipName(address);
    if (reserved.delete(name) && !known.has(name)) taken[address.family].delete(address.value);
  }

  const isUnreserved = ({ metadata }: VirtualIP): boolean => !reserved.has(metadata.name ?? "");

  const vipsOf = (names: readonly string[]): readonly VirtualIP[] =>
    names.flatMap(name => known.get(name) ?? []);

  return {
    ...createContention(random),
    observe,
    forget,
    unreserve,
    resync: vips => {
      const names = new Set(vips.map(vip => vip.metadata.name));
      [...known.keys()].filter(name => !names.has(name)).forEach(forget);
      vips.forEach(observe);
    },
    get: address => known.get(vipName(address)),
    heldBy: key => vipsOf(services.get(key)),
    sharedUnder: key => vipsOf(sharingKeys.get(key)),
    keptFor: key => byRelease(vipsOf(lastHolders.get(key)).filter(isUsable)).reverse(),
    released: () => byRelease([...free.values()].filter(isUnreserved).filter(isUsable)),
    reserve: (address, until) => {
      reserved.set(vipName(address), { address, until });
      taken[address.family].add(address.value);
    },
    expire: now => {
      for (const { address, until } of [...reserved.values()]) {
        if (until <= now) unreserve(address);
      }
    },
    nextFree: (family, from) => taken[family].nextAbsent(from),
  };
}

/** Keys of the Services that hold a VirtualIP; claims of Services without a name have none. */
export function serviceKeysOf(vip: VirtualIP): readonly string[] {
  return vip.spec.holders.flatMap(({ namespace, name }) => (name ? [`${namespace}/${name}`] : []));
}

function sharingKeysOf(vip: VirtualIP): readonly string[] {
  return vip.spec.holders.flatMap(({ sharingKey }) => sharingKey ?? []);
}

/** Is the address free, and kept for the Service that had it? */
export function isReleased({ spec }: Pick<VirtualIP, "spec">): boolean {
  return spec.holders.length === 0 && spec.released !== undefined;
}

/** Has a host outside the cluster the address? Then it is nobody's to be given. */
export function isInConflict({ status }: Pick<VirtualIP, "status">): boolean {
  return status?.conflict !== undefined;
}

/**
 * Had that host the address before it was announced? Then a Service whose it was to be gets another one. An address
 * in use is kept: to move it would be worse than to share it until somebody acts.
 */
export function isStrangers({ status }: VirtualIP): boolean {
  return status?.conflict?.isInUse === false;
}

function isUsable(vip: VirtualIP): boolean {
  return !isInConflict(vip);
}

function lastHolderOf(vip: VirtualIP): readonly string[] {
  const { released } = vip.spec;
  return released && isReleased(vip) ? [`${released.namespace}/${released.name}`] : [];
}

/** RFC 3339 in UTC with milliseconds, so that the order of the texts is that of the times. */
function byRelease(vips: readonly VirtualIP[]): VirtualIP[] {
  const key = ({ metadata, spec }: VirtualIP): string =>
    `${spec.released?.at ?? ""} ${metadata.name ?? ""}`;
  return [...vips].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Resource versions of one kind grow (KEP-5504); something else is not compared. */
function isOlder(vip: VirtualIP, known: VirtualIP | undefined): boolean {
  const [mine, theirs] = [vip.metadata.resourceVersion, known?.metadata.resourceVersion];
  if (mine === undefined || theirs === undefined || vip.metadata.uid !== known?.metadata.uid) {
    return false;
  }
  return /^\d+$/.test(mine) && /^\d+$/.test(theirs) && BigInt(mine) < BigInt(theirs);
}

type Index = {
  add(name: string, keys: readonly string[]): void;
  remove(name: string, keys: readonly string[]): void;
  get(key: string): readonly string[];
};

function createIndex(): Index {
  const names = new Map<string, Set<string>>();
  return {
    add: (name, keys) => {
      for (const key of keys) names.set(key, (names.get(key) ?? new Set()).add(name));
    },
    remove: (name, keys) => {
      for (const key of keys) {
        const set = names.get(key);
        set?.delete(name);
        if (set?.size === 0) names.delete(key);
      }
    },
    get: key => [...(names.get(key) ?? [])].sort(),
  };
}
