import type { IpAddress } from "../config/address";
import { poolOf } from "../config/config";
import type { Config, L2Ad } from "../config/config";
import { matchesAny } from "../config/selector";
import { REFUSAL_TEXT, findCandidates, interfacesFor } from "./eligibility";
import type { Cluster, Eligibility, Quest, Refusal } from "./eligibility";
import type { ServiceFacts } from "./facts";
import type { Holders } from "./holders";
import { kept } from "./kept";
import type { WantedInterfaces } from "./layer2/interfaces";

/** Why nobody answers for a Service's address. */
type SilenceReason =
  | "notInPool"
  | "noEndpoints"
  | "sharedIPWithServiceSelector"
  | "noMatchingAdvertisement"
  | "noEligibleNode";

/** Why nobody may answer, for machines and for people. */
export type Silence = { readonly reason: SilenceReason; readonly message: string };

/** What stands for and against the nodes where one address of one Service is concerned. */
export type Claim = Eligibility & {
  readonly service: ServiceFacts;
  /** The advertisements that fit the Service and the address's pool. */
  readonly ads: readonly L2Ad[];
  /** Set if nobody may answer. */
  readonly silence?: Silence;
};

export type AssessorInput = Cluster & { readonly config: Config; readonly holders: Holders };

/** Assesses all addresses of one plan. Of a thousand Services most are alike: what holds for one of them is kept. */
export type Assessor = {
  assess(service: ServiceFacts, address: string, ip: IpAddress | undefined): Claim;
  /** Where a node announces what is advertised so; undefined without such a node. */
  interfacesOf(ads: readonly L2Ad[], node: string): WantedInterfaces | undefined;
};

const NOBODY: ReadonlySet<string> = new Set();
const NO_NODES: Eligibility = { candidates: [], refusals: new Map() };

export function createAssessor(input: AssessorInput): Assessor {
  const nodes = new Map(input.nodes.map(node => [node.name, node]));
  const adsOfPool = new Map<string, readonly L2Ad[]>();
  const common = new Map<string, Eligibility>();
  const interfaces = new Map<string, WantedInterfaces | undefined>();

  function adsFor(pool: string, service: ServiceFacts): readonly L2Ad[] {
    const all = kept(adsOfPool, pool, () =>
      input.config.l2Ads.filter(({ pools }) => pools.includes(pool)),
    );
    return all.filter(ad => matchesAny(ad.serviceSelectors, service.labels));
  }

  /** A holder that is alive is a candidate like the others. */
  function silentHolders(address: string): ReadonlySet<string> {
    const { alive } = input;
    if (alive === "unknown") return NOBODY;
    const silent = input.holders.get(address)?.filter(({ node }) => !alive.has(node)) ?? [];
    return silent.length === 0 ? NOBODY : new Set(silent.map(({ node }) => node));
  }

  /** Where any node delivers, the advertisements decide who may answer, and which holders are silent. */
  function eligibilityFor(quest: Quest): Eligibility {
    const { service, ads, holders } = quest;
    if (service.isLocal) return findCandidates(input, quest);
    const key = `${nameAll(ads)}/${[...holders].sort().join(" ")}`;
    return kept(common, key, () => findCandidates(input, quest));
  }

  return {
    assess: (service, address, ip) => {
      const pool = ip && poolOf(input.config, ip);
      const ads = pool ? adsFor(pool.name, service) : [];
      const silence = pool
        ? silenceBefore(service, ads, `pool ${pool.name}`)
        : { reason: "notInPool" as const, message: `address ${address} is in no IPAddressPool` };
      if (silence) return { ...NO_NODES, service, ads, silence };
      const holders = silentHolders(address);
      const { candidates, refusals } = eligibilityFor({ service, ads, holders });
      if (candidates.length > 0) return { candidates, refusals, service, ads };
      return { candidates, refusals, service, ads, silence: noNode(refusals) };
    },
    interfacesOf: (ads, name) =>
      kept(interfaces, `${name} ${nameAll(ads)}`, () => {
        const node = nodes.get(name);
        return node && interfacesFor(ads, node);
      }),
  };
}

/** Names of objects have no space. */
function nameAll(ads: readonly L2Ad[]): string {
  return ads.map(({ name }) => name).join(" ");
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

/** @param refusals why each node may not answer */
export function noNode(refusals: ReadonlyMap<string, Refusal>): Silence {
  const parts = [...refusals].map(([node, refusal]) => `${node} ${REFUSAL_TEXT[refusal]}`).sort();
  const more = parts.length - NODES_IN_MESSAGE;
  const shown = parts.slice(0, NODES_IN_MESSAGE).join("; ");
  const message = `no node may answer: ${shown || "there are no nodes"}${more > 0 ? `; and ${more} more` : ""}`;
  return { reason: "noEligibleNode", message };
}
