import type { Config } from "../config/config";
import { createAssessor, noNode } from "./assessment";
import type { Assessor, Claim, Silence } from "./assessment";
import type { Candidate } from "./election";
import type { Cluster, Refusal } from "./eligibility";
import type { ServiceFacts } from "./facts";
import { pushTo } from "./grouped";
import type { Holders } from "./holders";
import { keptFor } from "./kept";
import type { WantedInterfaces } from "./layer2/interfaces";
import { placeAddresses } from "./placement";
import type { Group, Placement } from "./placement";
import { placementKeys, sortByAddress } from "./placement-groups";
import type { Addressed } from "./placement-groups";

/** All that decides who answers for what. */
export type PlanInput = Cluster & {
  readonly config: Config;
  readonly services: readonly ServiceFacts[];
  /** Who answers for what now. */
  readonly holders: Holders;
  readonly placement: Placement;
  /** How many groups each node has beside those of these Services; absent: they are all there are. */
  readonly load?: ReadonlyMap<string, number>;
};

/** What holds for one address of one Service. */
export type Verdict = {
  readonly service: string;
  readonly address: string;
  /** The nodes that may not answer, and why. */
  readonly refusals: ReadonlyMap<string, Refusal>;
} & ({ readonly owner: string } | ({ readonly owner?: undefined } & Silence));

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
  const assessor = createAssessor(input);
  const cases = servicesByAddress(input.services).map(({ address, ip, value }): AddressCase => {
    const claims = value.map(service => assessor.assess(service, address, ip));
    const ready = claims.filter(claim => claim.silence === undefined);
    return { address, claims, ready };
  });
  const groups = groupsOf(input, cases);
  const owners = placeAddresses(groups, input.placement, input.load);
  const addresses = new Map<string, AddressPlan>();
  for (const { address, ready } of cases) {
    const owner = owners.get(address);
    const plan = owner === undefined ? undefined : planFor(assessor, { address, owner, ready });
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
  const keys = keysOf(input.services);
  const groups = new Map<string, Group["contests"][number][]>();
  for (const { address, ready } of cases) {
    const key = keys.get(address) ?? address;
    const holders = input.holders.get(address) ?? [];
    const contest = { address, candidates: bestCandidates(ready), holders };
    pushTo(groups, key, contest);
  }
  return [...groups].map(([key, contests]) => ({ key, contests }));
}

/** Services that share an address are answered for by one node; the best score that any gives a node counts. */
function bestCandidates(claims: readonly Claim[]): readonly Candidate[] {
  const [first] = claims;
  if (first && claims.length === 1) return first.candidates;
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

function planFor(assessor: Assessor, { address, owner, ready }: Elected): AddressPlan | undefined {
  const ads = ready.flatMap(claim => claim.ads);
  const services = ready.map(claim => claim.service.key).sort();
  const interfaces = assessor.interfacesOf(ads, owner);
  return interfaces && { address, owner, services, interfaces };
}

function verdictOf(claim: Claim, address: string, owner: string | undefined): Verdict {
  const { refusals, silence } = claim;
  const service = claim.service.key;
  if (owner !== undefined && !silence) return { service, address, refusals, owner };
  return { service, address, refusals, ...(silence ?? noNode(refusals)) };
}

/** While the list of Services is the same object, many plans are made of it. */
const keysOf = keptFor(placementKeys);

const servicesByAddress = keptFor(
  (services: readonly ServiceFacts[]): readonly Addressed<readonly ServiceFacts[]>[] => {
    const found = new Map<string, ServiceFacts[]>();
    for (const service of services) {
      for (const address of service.addresses) pushTo(found, address, service);
    }
    return sortByAddress(found);
  },
);
