import { formatAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { poolOf } from "../../config/config";
import { isAvoided, isPoolFor, poolsToTry } from "../pool-choice";
import { parseRequest } from "../request";
import { isOurs, serviceTitle, statusAddresses } from "../service";
import type { Service } from "../service";
import { readFacts } from "../situation";
import type { Surroundings } from "../situation";

/** A Service that a change of the pools would take addresses from. */
export type Hit = {
  /** `namespace/name`. */
  readonly service: string;
  /** The addresses that it has and could not keep. */
  readonly addresses: readonly string[];
  /** Whether there would be a pool to give it another one, as far as pools decide that. */
  readonly hasOther: boolean;
};

/** More names than this help nobody at a command line. */
const MOST_NAMED = 10;

/**
 * Simulates a change of the pools: which Services of ours have an address that they may keep before the change and
 * may not after it. Sorted by name; nothing is drawn or claimed.
 */
export function impactOf(
  services: readonly Service[],
  before: Surroundings,
  after: Surroundings,
  lbClass: string | undefined,
): readonly Hit[] {
  return services
    .filter(service => isOurs(service, lbClass) && !service.metadata?.deletionTimestamp)
    .flatMap(service => {
      const lost = statusAddresses(service).filter(
        address => mayKeep(service, address, before) && !mayKeep(service, address, after),
      );
      if (lost.length === 0) return [];
      const hasOther = wouldFindPool(service, after);
      return [{ service: serviceTitle(service), addresses: lost.map(formatAddress), hasOther }];
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** One sentence for what a change would do, with the first few names; undefined: it does nothing. */
export function describeImpact(hits: readonly Hit[]): string | undefined {
  const parts = [
    wordsFor(
      hits.filter(hit => hit.hasOther),
      "would get another address",
    ),
    wordsFor(
      hits.filter(hit => !hit.hasOther),
      "would lose the address and wait for one",
    ),
  ];
  return parts.filter(part => part !== "").join("; ") || undefined;
}

function wordsFor(hits: readonly Hit[], fate: string): string {
  if (hits.length === 0) return "";
  const named = hits
    .slice(0, MOST_NAMED)
    .map(hit => `${hit.service} (${hit.addresses.join(", ")})`);
  const rest = hits.length - named.length;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `${hits.length} Service${hits.length === 1 ? "" : "s"} ${fate}: ${named.join(", ")}${more}`;
}

/** The rules by which the reconciler keeps an address, whoever asked for it. */
function mayKeep(service: Service, address: IpAddress, surroundings: Surroundings): boolean {
  const pool = poolOf(surroundings.config, address);
  if (!pool || isAvoided(pool, address)) return false;
  const parsed = parseRequest(service);
  const named = parsed.ok ? parsed.request.pool : undefined;
  const facts = readFacts(service, serviceNamespace(service), surroundings);
  return (named === undefined || named === pool.name) && isPoolFor(pool, facts);
}

/** A Service that asks for addresses gets those or none. */
function wouldFindPool(service: Service, surroundings: Surroundings): boolean {
  const parsed = parseRequest(service);
  if (!parsed.ok || parsed.request.addresses.length > 0) return false;
  const facts = readFacts(service, serviceNamespace(service), surroundings);
  return poolsToTry(surroundings.config, parsed.request, facts).length > 0;
}

function serviceNamespace(service: Service): string {
  return service.metadata?.namespace ?? "default";
}
