import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { ADDRESS_POOL } from "../config/annotations";
import type { Config, Pool } from "../config/config";
import { poolOf } from "../config/config";
import { matchesSelector } from "../config/selector";
import type { Refusal } from "./refusal";
import type { AddressRequest } from "./request";

/** What pools look at to decide whether a Service may use them. */
export type ServiceFacts = {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
};

/** May the Service use the pool? Selectors that match nothing let nobody in. */
export function isPoolFor({ serviceAllocation }: Pool, facts: ServiceFacts): boolean {
  if (!serviceAllocation) return true;
  const { namespaces, namespaceSelectors, serviceSelectors } = serviceAllocation;
  const anyNamespace = namespaces.length === 0 && namespaceSelectors.length === 0;
  const namespaceFits =
    anyNamespace ||
    namespaces.includes(facts.namespace) ||
    namespaceSelectors.some(selector => matchesSelector(selector, facts.namespaceLabels));
  const serviceFits =
    serviceSelectors.length === 0 ||
    serviceSelectors.some(selector => matchesSelector(selector, facts.labels));
  return namespaceFits && serviceFits;
}

/**
 * The pools to try for a Service that asks for no address, the best first: the one it names, or else
 * those with `autoAssign` that are meant for it by `serviceAllocation`, by priority (0 is last), then
 * the pools for everybody; equal ones by name.
 */
export function poolsToTry(
  config: Config,
  request: AddressRequest,
  facts: ServiceFacts,
): readonly Pool[] {
  const open = config.pools.filter(pool => isPoolFor(pool, facts));
  if (request.pool !== undefined) return open.filter(pool => pool.name === request.pool);
  return open.filter(pool => pool.autoAssign).sort((a, b) => rank(a) - rank(b) || byName(a, b));
}

/** IPv4 addresses that end in .0 or .255, which a pool with `avoidBuggyIPs` does not give out. */
export function isAvoided(pool: Pool, { family, value }: IpAddress): boolean {
  const lastByte = value & 0xffn;
  return pool.avoidBuggyIPs && family === "ipv4" && (lastByte === 0n || lastByte === 0xffn);
}

/** Can the named pool and the asked-for addresses be used by this Service at all, free or not? */
export function checkPools(
  config: Config,
  request: AddressRequest,
  facts: ServiceFacts,
): Refusal | undefined {
  return (
    checkNamedPool(config, request, facts) ??
    request.addresses
      .map(address => checkAddress(address, { config, request, facts }))
      .find(refusal => refusal !== undefined)
  );
}

function checkNamedPool(
  config: Config,
  { pool: value }: AddressRequest,
  facts: ServiceFacts,
): Refusal | undefined {
  if (value === undefined) return undefined;
  const pool = config.pools.find(({ name }) => name === value);
  const field = `annotation ${ADDRESS_POOL}`;
  if (!pool) {
    return {
      code: "UnknownPool",
      field,
      value,
      problem: "names an IPAddressPool that does not exist",
      remedy: `${poolNames(config)}, or create that pool first`,
    };
  }
  return isPoolFor(pool, facts) ? undefined : notForService(pool, { field, value }, facts);
}

type Context = {
  readonly config: Config;
  readonly request: AddressRequest;
  readonly facts: ServiceFacts;
};

function checkAddress(
  address: IpAddress,
  { config, request, facts }: Context,
): Refusal | undefined {
  const where = { field: request.field, value: formatAddress(address) };
  const pool = poolOf(config, address);
  if (!pool) {
    return {
      ...where,
      code: "AddressInNoPool",
      problem: "is in no IPAddressPool",
      remedy: "ask for an address of a pool, or add it to one",
    };
  }
  if (request.pool !== undefined && request.pool !== pool.name) {
    return {
      ...where,
      code: "AddressNotInPool",
      problem: `is of the IPAddressPool "${pool.name}", and the annotation ${ADDRESS_POOL} asks for "${request.pool}"`,
      remedy: `remove the annotation ${ADDRESS_POOL}, or ask for an address of that pool`,
    };
  }
  if (!isPoolFor(pool, facts)) return notForService(pool, where, facts);
  if (!isAvoided(pool, address)) return undefined;
  return {
    ...where,
    code: "AvoidedAddress",
    problem: `ends in .0 or .255, and the IPAddressPool "${pool.name}" has avoidBuggyIPs`,
    remedy: "ask for another address",
  };
}

function notForService(
  { name }: Pool,
  where: { readonly field: string; readonly value: string },
  { namespace }: ServiceFacts,
): Refusal {
  return {
    ...where,
    code: "PoolNotForService",
    problem: `is of the IPAddressPool "${name}", whose serviceAllocation does not let in this Service of namespace "${namespace}"`,
    remedy: "use another pool, or change the pool's serviceAllocation",
  };
}

function poolNames(config: Config): string {
  const names = config.pools.map(({ name }) => name);
  if (names.length === 0) return "there is no pool yet";
  const shown = names.slice(0, 5).join(", ");
  return `use one of ${shown}${names.length > 5 ? ", …" : ""}`;
}

function rank({ serviceAllocation }: Pool): number {
  if (!serviceAllocation) return Number.MAX_SAFE_INTEGER;
  return serviceAllocation.priority === 0
    ? Number.MAX_SAFE_INTEGER - 1
    : serviceAllocation.priority;
}

function byName(a: Pool, b: Pool): number {
  return a.name < b.name ? -1 : 1;
}
