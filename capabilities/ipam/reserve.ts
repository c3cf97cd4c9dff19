import type { Ledger } from "./ledger";
import { statusAddresses } from "./service";
import type { Service } from "./service";

/** Longer than the watcher needs to adopt all addresses of a large cluster. */
const ADOPTION_MS = 120_000;

/**
 * Keeps the addresses in the Services' statuses from being given to others until they are claimed for
 * their Services: those of MetalLB's time, or those whose VirtualIP somebody has deleted.
 */
export function reserveStatuses(services: readonly Service[], ledger: Ledger, now: number): void {
  for (const address of services.flatMap(statusAddresses)) {
    if (!ledger.get(address)) ledger.reserve(address, now + ADOPTION_MS);
  }
}
