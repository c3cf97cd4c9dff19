import type { IpAddress } from "../config/address";
import { poolOf } from "../config/config";
import type { Config } from "../config/config";
import type { Choice } from "./allocator";
import { familyTitle, wantedFamilies } from "./families";
import type { ClusterFamilies, WantedFamilies } from "./families";
import { checkPools, isAvoided, isPoolFor, poolsToTry } from "./pool-choice";
import type { ServiceFacts } from "./pool-choice";
import type { Refusal } from "./refusal";
import { checkFamilies, parseRequest } from "./request";
import type { AddressRequest } from "./request";
import { includesAddress } from "./service";
import type { Service } from "./service";

/** The cluster, as far as addresses depend on it. */
export type Surroundings = {
  readonly config: Config;
  readonly cluster: ClusterFamilies;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
};

/** All that decides which addresses a Service may have, apart from who holds them. */
export type Situation = {
  readonly config: Config;
  readonly facts: ServiceFacts;
  readonly want: WantedFamilies;
  readonly request: AddressRequest;
};

export type SituationResult =
  | { readonly ok: true; readonly situation: Situation }
  | { readonly ok: false; readonly refusal: Refusal };

/** Reads a Service's wish and checks whether it could ever be fulfilled as written. */
export function describeSituation(
  service: Service,
  namespace: string,
  { config, cluster, namespaceLabels }: Surroundings,
  old?: Service,
): SituationResult {
  const parsed = parseRequest(service);
  if (!parsed.ok) return parsed;
  const { request } = parsed;
  const want = wantedFamilies(service, cluster, old);
  const facts = readFacts(service, namespace, { namespaceLabels });
  const refusal = checkFamilies(request, want) ?? checkPools(config, request, facts);
  return refusal
    ? { ok: false, refusal }
    : { ok: true, situation: { config, facts, want, request } };
}

/** What pools select Services by. */
export function readFacts(
  service: Service,
  namespace: string,
  { namespaceLabels }: Pick<Surroundings, "namespaceLabels">,
): ServiceFacts {
  const labels = service.metadata?.labels ?? {};
  return { namespace, namespaceLabels: namespaceLabels(namespace), labels };
}

/** The asked-for addresses with their pools, which `describeSituation` has found to exist. */
export function requestedChoices({ config, request }: Situation): readonly Choice[] {
  return request.addresses.flatMap(address => choiceOf(config, address));
}

/**
 * Those of the Service's addresses that it may still have: of a pool that is (still) open to it, of a
 * family that it wants, from the pool that it names. From a pool without `autoAssign` it may keep what it
 * holds, but not come back to it by an old mark.
 */
export function usableChoices(
  { config, facts, want, request }: Situation,
  addresses: readonly IpAddress[],
  held: readonly IpAddress[],
): readonly Choice[] {
  return addresses
    .flatMap(address => choiceOf(config, address))
    .filter(({ address, pool }) => {
      const isNamed = request.pool === pool.name;
      return (
        want.families.includes(address.family) &&
        (request.pool === undefined || isNamed) &&
        (pool.autoAssign || isNamed || includesAddress(held, address)) &&
        isPoolFor(pool, facts) &&
        !isAvoided(pool, address)
      );
    });
}

/** Why a Service has to wait: a code for conditions, and words in MetalLB's manner. */
export type WaitReason = { readonly code: "NoPool" | "NoFreeAddress"; readonly text: string };

/** Why nothing could be drawn: no pool at all, none for this Service, or none with a free address. */
export function waitReason({ config, facts, want, request }: Situation): WaitReason {
  if (config.pools.length === 0) {
    return { code: "NoPool", text: "there is no IPAddressPool yet" };
  }
  const pools = poolsToTry(config, request, facts);
  if (pools.length === 0) {
    const text = "no IPAddressPool with autoAssign is open to this Service";
    return { code: "NoPool", text };
  }
  const lacking = want.families.find(family =>
    pools.every(pool => pool.ranges.every(range => range.family !== family)),
  );
  if (lacking && (want.all || want.families.length === 1)) {
    const text = `no IPAddressPool that is open to this Service has ${familyTitle(lacking)} addresses`;
    return { code: "NoPool", text };
  }
  const where = request.pool === undefined ? "" : ` in pool ${request.pool}`;
  return { code: "NoFreeAddress", text: `no available IPs${where}` };
}

function choiceOf(config: Config, address: IpAddress): readonly Choice[] {
  const pool = poolOf(config, address);
  return pool ? [{ address, pool }] : [];
}
