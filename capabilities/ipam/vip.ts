import type { IpAddress } from "../config/address";
import { poolOf } from "../config/config";
import type { Config } from "../config/config";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { parseVipName } from "../config/vip-name";
import { isPending } from "./claim";

/** Addresses that a Service holds: for good, or claimed by an admission that may not have come through. */
export type HeldAddresses = {
  readonly confirmed: readonly IpAddress[];
  readonly pending: readonly IpAddress[];
};

/**
 * Splits the VirtualIPs that are held under a Service's name.
 *
 * @param uid - the Service's; a claim under another uid was that of a Service of the same name that is
 *   gone, and is offered again after what is the Service's own
 */
export function heldAddresses(vips: readonly VirtualIP[], uid: string | undefined): HeldAddresses {
  const confirmed = vips.filter(({ spec }) =>
    spec.holders.some(holder => !isPending(holder) && (uid === undefined || holder.uid === uid)),
  );
  return {
    confirmed: confirmed.flatMap(addressOf),
    pending: vips.filter(vip => !confirmed.includes(vip)).flatMap(addressOf),
  };
}

/** The address of a VirtualIP; none if its name is not one that we make. */
export function addressOf(vip: VirtualIP): readonly IpAddress[] {
  const address = parseVipName(vip.metadata.name ?? "");
  return address ? [address] : [];
}

/** Does a pool have its address? */
export function hasPool(vip: VirtualIP, { config }: { readonly config: Config }): boolean {
  return addressOf(vip).some(address => poolOf(config, address));
}

/**
 * Until when a free address is kept for the Service that had it, in ms since the epoch: for the time that its pool
 * says.
 *
 * @param freedAt - when it was freed, if the VirtualIP does not say
 * @param poollessMs - for how long if no pool has it any more
 */
export function keptUntil(vip: VirtualIP, config: Config, freedAt = 0, poollessMs = 0): number {
  const [pool] = addressOf(vip).flatMap(address => poolOf(config, address) ?? []);
  const since = vip.spec.released ? Date.parse(vip.spec.released.at) : NaN;
  const keptMs = pool?.reclaimAfterMs ?? poollessMs;
  return keptMs > 0 ? (freedAt || since || 0) + keptMs : 0;
}
