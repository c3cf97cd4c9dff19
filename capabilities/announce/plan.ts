import { parseAddress } from "../config/address";
import { poolOf } from "../config/config";
import type { Config, L2Ad } from "../config/config";
import { matchesAny } from "../config/selector";
import type { Candidate } from "./election";
import { REFUSAL_TEXT, findCandidates, interfacesFor } from "./eligibility";
import type { Cluster, Eligibility, Refusal } from "./eligibility";
import type { ServiceFacts } from "./facts";
import type { WantedInterfaces } from "./layer2/interfaces";
import type { Holders } from "./holders";
import { placeAddresses } from "./placement";
import type { Group, Placement } from "./placement";
import { placementKeys, sortByAddress } from "./placement-groups";

/** All that decides who answers for what. */
export type PlanInput = Cluster & {
  readonly config: Config;
  readonly services: readonly ServiceFacts[];
  /** Who answers for what now. */
  readonly holders: Holders;
  readonly placement: Placement;
};

/** Why nobody answers for a Service's address. */
export type SilenceReason =
  | "notInPool"
  | "noEndpoints"
  | "sharedIPWithServiceSelector"
  | "noMatchingAdvertisement"
  | "noEligibleNode";

/** What holds for one address of one Service. */
export type Verdict = {
  readonly service: string;
  readonly address: string;
  /** The nodes that may not answer, and why. */
  readonly refusals: ReadonlyMap<string, Refusal>;
} & (
  | { readonly owner: string }
  | { readonly owner?: undefined; readonly reason: SilenceReason; readonly message: string }
);

/** An address that is to be answered for, by whom and where. */
export type AddressPlan = {
  readonly address: string;
  readonly owner: string;
  readonly interfaces: WantedInterfaces;
  /** Keys of the Services that are reached by it, sorted. */
  readonly services: readonly string[];
};

/** Who answers for which address: the same on every node that sees the same. */
export type Plan = {
  readonly addresses: ReadonlyMap<string, AddressPlan>;
  readonly verdicts: readonly Verdict[];
  /** What belongs together, and who may have it: what a rebalance chooses from. */
  readonly groups: readonly Group[];
};

/**
 * Decides for every address of every Service which node answers for it. Pure: nodes that see the same facts
 * compute the same plan, which is how they agree without talking.
 */
export function planAddresses(input: PlanInput): Plan {
  const cases = holdersByAddress(input.services).map(([address, services]): AddressCase => {
    const claims = services.map(service => assess(input, service, address));
    const ready = claims.filter(claim => claim.silence === undefined);
    return { address, claims, ready };
  });
  const groups = groupsOf(input, cases);
  const owners = placeAddresses(groups, input.placement);
  const addresses = new Map<string, AddressPlan>();
  for (const { address, ready } of cases) {
    const owner = owners.get(address);
    const plan = owner === undefined ? undefined : planFor(input, { address, owner, ready });
    if (plan) addresses.set(address, plan);
  }
  const verdicts = cases.flatMap(({ address, claims }) =>
    claims.map(claim => verdictOf(claim, address, owners.get(address))),
  );
  return { addresses, verdicts, groups };
}

/** An address, its Services, and those of them that can be served. */
type AddressCase = {
  readonly address: string;
  readonly claims: readonly Claim[];
  readonly ready: readonly Claim[];
};

function groupsOf(input: PlanInput, cases: readonly AddressCase[]): readonly Group[] {
  const keys = placementKeys(input.services);
  const groups = new Map<string, Group["contests"][number][]>();
  for (const { address, ready } of cases) {
    const key = keys.get(address) ?? address;
    const holders = input.holders.get(address) ?? [];
    const contest = { address, candidates: bestCandidates(ready), holders };
    groups.set(key, [...(groups.get(key) ?? []), contest]);
  }
  return [...groups].map(([key, contests]) => ({ key, contests }));
}

type Silence = { readonly reason: SilenceReason; readonly message: string };
type Claim = Eligibility & {
  readonly service: ServiceFacts;
  readonly ads: readonly L2Ad[];
  readonly silence?: Silence;
};

const NO_NODES: Eligibility = { candidates: [], refusals: new Map() };

function assess(input: PlanInput, service: ServiceFacts, address: string): Claim {
  const ip = parseAddress(address);
  const pool = ip && poolOf(input.config, ip);
  const poolAds = input.config.l2Ads.filter(ad => pool && ad.pools.includes(pool.name));
  const ads = poolAds.filter(ad => matchesAny(ad.serviceSelectors, service.labels));
  const silence = pool
    ? silenceBefore(service, ads, `pool ${pool.name}`)
    : { reason: "notInPool" as const, message: `address ${address} is in no IPAddressPool` };
  if (silence) return { ...NO_NODES, service, ads, silence };
  const holders = new Set(input.holders.get(address)?.map(({ node }) => node));
  const eligibility = findCandidates(input, { service, ads, holders });
  const claim = { ...eligibility, service, ads };
  return claim.candidates.length > 0 ? claim : { ...claim, silence: noNode(claim.refusals) };
}

/** What keeps a Service silent whatever the nodes are like. */
function silenceBefore(
  service: ServiceFacts,
  ads: readonly L2Ad[],
  pool: string,
): Silence | undefined {
  if (!service.hasEndpoint) {
    return { reason: "noEndpoints", message: "no endpoint of the Service is ready or serving" };
  }
  if (ads.length === 0) {
    const message = `no L2Advertisement announces ${pool} for this Service: create one, or check its serviceSelectors`;
    return { reason: "noMatchingAdvertisement", message };
  }
  const selecting = ads.find(({ serviceSelectors }) => serviceSelectors.length > 0);
  if (service.isShared && selecting) {
    const message = `the Service shares its address, which an L2Advertisement with serviceSelectors (${selecting.name}) cannot announce`;
    return { reason: "sharedIPWithServiceSelector", message };
  }
  return undefined;
}

const NODES_IN_MESSAGE = 5;

function noNode(refusals: ReadonlyMap<string, Refusal>): Silence {
  const parts = [...refusals].map(([node, refusal]) => `${node} ${REFUSAL_TEXT[refusal]}`).sort();
  const more = parts.length - NODES_IN_MESSAGE;
  const shown = parts.slice(0, NODES_IN_MESSAGE).join("; ");
  const message = `no node may answer: ${shown || "there are no nodes"}${more > 0 ? `; and ${more} more` : ""}`;
  return { reason: "noEligibleNode", message };
}

/** Services that share an address are answered for by one node; the best score that any gives a node counts. */
function bestCandidates(claims: readonly Claim[]): readonly Candidate[] {
  const best = new Map<string, Candidate>();
  for (const candidate of claims.flatMap(claim => claim.candidates)) {
    const known = best.get(candidate.node);
    if (!known || known.score < candidate.score) best.set(candidate.node, candidate);
  }
  return [...best.values()];
}

type Elected = {
  readonly address: string;
  readonly owner: string;
  readonly ready: readonly Claim[];
};

function planFor(input: PlanInput, { address, owner, ready }: Elected): AddressPlan | undefined {
  const node = input.nodes.find(({ name }) => name === owner);
  const ads = ready.flatMap(claim => claim.ads);
  const services = ready.map(claim => claim.service.key).sort();
  return node && { address, owner, services, interfaces: interfacesFor(ads, node) };
}

function verdictOf(claim: Claim, address: string, owner: string | undefined): Verdict {
  const base = { service: claim.service.key, address, refusals: claim.refusals };
  if (claim.silence) return { ...base, ...claim.silence };
  return owner === undefined ? { ...base, ...noNode(claim.refusals) } : { ...base, owner };
}

function holdersByAddress(
  services: readonly ServiceFacts[],
): readonly (readonly [string, readonly ServiceFacts[]])[] {
  const holders = new Map<string, ServiceFacts[]>();
  for (const service of services) {
    for (const address of service.addresses) {
      holders.set(address, [...(holders.get(address) ?? []), service]);
    }
  }
  return sortByAddress(holders);
}
