import { ADDRESS_BITS } from "../config/address";
import type { Family, IpAddress } from "../config/address";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { parseVipName, vipName } from "../config/vip-name";
import { createAddressSet } from "./address-set";
import type { AddressSet } from "./address-set";
import type { TakenAddresses } from "./allocator";

/**
 * What this process knows of the VirtualIPs: a cache, so always a bit behind. It makes good guesses
 * cheap and decides nothing: who holds an address is decided by the API server.
 */
export type Ledger = TakenAddresses & {
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
  /** Passes over an address for a while: a claim for it is under way, or somebody was faster. */
  reserve(address: IpAddress, until: number): void;
  unreserve(address: IpAddress): void;
  /** Ends the reservations whose time is over at `now`. */
  expire(now: number): void;
};

export function createLedger(): Ledger {
  const known = new Map<string, VirtualIP>();
  const services = createIndex();
  const sharingKeys = createIndex();
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
    taken[address.family].add(address.value);
  }

  function unreserve(address: IpAddress): void {
    const name = vipName(address);
    if (reserved.delete(name) && !known.has(name)) taken[address.family].delete(address.value);
  }

  const vipsOf = (names: readonly string[]): readonly VirtualIP[] =>
    names.flatMap(name => known.get(name) ?? []);

  return {
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
