import type { kind } from "kubernetes-fluent-client";
import type { AddressConflict } from "../../config/kinds/virtual-ip";
import type { Verdict } from "../plan";
import { REACHABLE } from "./reachable-condition";
import type { Reachable } from "./reachable-condition";

/** The condition of a Service that says whether the network is told where its addresses are, or why not. */
export const ANNOUNCED = "Announced";

/** Where a Service stands; `reason` is CamelCase for machines, `message` for people. */
export type Announced = {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  /** What is said beside it, in the same patch; absent where nothing can be seen. */
  readonly reachable?: Reachable;
};

export type AnnouncedInput = {
  readonly me: string;
  /** The Service's verdicts, one for each of its addresses. */
  readonly verdicts: readonly Verdict[];
  /** Nodes that may own addresses. */
  readonly alive: ReadonlySet<string>;
  /** What this node's kernel answers for. */
  readonly answering: ReadonlySet<string>;
  /** Addresses that this node owns and has no interface for. */
  readonly withoutInterface: ReadonlySet<string>;
  /** What the kernel refused on this node, as sentences. */
  readonly problems: readonly string[];
  /** The stranger that has an address, if any was seen. */
  readonly conflict: (address: string) => AddressConflict | undefined;
  /** How BGP stands for an address; undefined if no BGPAdvertisement is for it. */
  readonly byBgp: (address: string) => ByBgp | undefined;
};

/** How BGP stands for an address of a Service. */
export type ByBgp = {
  /** Nodes that advertise it, sorted. */
  readonly nodes: readonly string[];
  /** Why there are none; undefined if there are, or if that may change by itself very soon. */
  readonly silence?: { readonly reason: string; readonly message: string };
};

/**
 * What this node is to say of a Service: nothing of one without addresses; undefined if another node is to say it, or
 * if it is too early. One node speaks for a Service: the owner of its first address that has one, or else the first
 * that advertises one of them by BGP, or else the first node that is alive.
 */
export function announcedOf(input: AnnouncedInput): Announced | "nothing" | undefined {
  const { me, verdicts, answering } = input;
  if (speakerOf(input) !== me) return undefined;
  if (verdicts.length === 0) return "nothing";
  const findings = verdicts.map(verdict => findingOf(verdict, input));
  const problems = findings.flatMap(finding => (finding.problem ? [finding.problem] : []));
  const [first] = problems;
  if (first) {
    const texts = problems.map(({ address, message }) => `${address}: ${message}`);
    const reason = `${first.reason.charAt(0).toUpperCase()}${first.reason.slice(1)}`;
    return { status: "False", reason, message: texts.join("; ") };
  }
  if (findings.some(({ isEarly }) => isEarly)) return undefined;
  // The kernel is about to answer: then this is asked again.
  if (verdicts.some(({ address, owner }) => owner === me && !answering.has(address))) {
    return undefined;
  }
  return announced(findings, verdicts);
}

type Problem = { readonly address: string; readonly reason: string; readonly message: string };

/** How one address is announced, or why it is not, or that this is not known yet. */
type Finding = {
  readonly address: string;
  readonly byLayer2: boolean;
  readonly byBgp: boolean;
  readonly problem?: Problem;
  readonly isEarly?: boolean;
};

function findingOf(verdict: Verdict, input: AnnouncedInput): Finding {
  const { address, owner } = verdict;
  const bgp = input.byBgp(address);
  const problem = owner === undefined ? undefined : problemOf(address, owner, input);
  const byLayer2 = owner !== undefined && !problem;
  const byBgp = bgp !== undefined && bgp.nodes.length > 0;
  const finding = { address, byLayer2, byBgp };
  if (byLayer2 || byBgp) return finding;
  if (problem) return { ...finding, problem };
  return { ...finding, ...silenceOf(verdict as Silent, bgp) };
}

/** Why an address that has an owner is not answered for all the same, or not by it alone. */
function problemOf(address: string, owner: string, input: AnnouncedInput): Problem | undefined {
  const { me, answering, withoutInterface, problems } = input;
  const stranger = input.conflict(address);
  if (stranger) return { address, reason: "AddressConflict", message: describeConflict(stranger) };
  if (owner !== me) return undefined;
  if (withoutInterface.has(address)) return noInterface(address, me);
  if (answering.has(address) || problems.length === 0) return undefined;
  const message = `node ${me} cannot answer for it: ${problems.join("; ")}`;
  return { address, reason: "KernelRefused", message };
}

/** Who has the address beside us, and what to do, as a sentence. */
export function describeConflict(conflict: AddressConflict): string {
  const { mac, interface: name, seenBy, isInUse } = conflict;
  const where = [seenBy && `by node ${seenBy}`, name && `on ${name}`].filter(Boolean).join(" ");
  const effect = isInUse ? "clients may reach it instead of the Service" : "so it is not announced";
  return `a host outside the cluster has the address, MAC ${mac}, seen ${where}: ${effect}; take the address from that host, or out of the pool`;
}

type Silent = Exclude<Verdict, { readonly owner: string }>;

/** BGP's reason where nothing else stands in the way. */
function silenceOf(verdict: Silent, bgp: ByBgp | undefined): Pick<Finding, "problem" | "isEarly"> {
  if (!bgp || verdict.reason !== "noMatchingAdvertisement") return { problem: verdict };
  const { silence } = bgp;
  return silence ? { problem: { address: verdict.address, ...silence } } : { isEarly: true };
}

/** True with a reason of its own where no one node has all addresses, as MetalLB's users expect of dual-stack Services. */
function announced(findings: readonly Finding[], verdicts: readonly Verdict[]): Announced {
  const owned = verdicts.flatMap(({ address, owner }) => (owner ? [{ address, owner }] : []));
  if (new Set(owned.map(({ owner }) => owner)).size > 1) {
    const texts = owned.map(({ address, owner }) => `node ${owner} for ${address}`);
    const message = `Several nodes answer: ${texts.join(", ")}; to have one, let the L2Advertisements of all addresses select a node in common`;
    return { status: "True", reason: "Layer2Split", message };
  }
  const [answered, told] = [
    findings.filter(({ byLayer2 }) => byLayer2),
    findings.filter(({ byBgp }) => byBgp),
  ].map(list => list.map(({ address }) => address).join(" and "));
  const texts = [
    ...(answered ? [`A node answers for ${answered}`] : []),
    ...(told ? [`BGP routers are told of ${told}`] : []),
  ];
  const reason = [...(answered ? ["Layer2"] : []), ...(told ? ["BGP"] : [])].join("And");
  return { status: "True", reason, message: texts.join("; ") };
}

function noInterface(address: string, node: string): Problem {
  const message = `no interface of node ${node} fits: check the L2Advertisement's interfaces and that they are up`;
  return { address, reason: "NoInterface", message };
}

function speakerOf({ verdicts, alive, byBgp }: AnnouncedInput): string | undefined {
  const owner = verdicts.find(verdict => verdict.owner !== undefined)?.owner;
  if (owner !== undefined) return owner;
  const advertiser = verdicts.flatMap(({ address }) => byBgp(address)?.nodes ?? [])[0];
  return advertiser ?? firstOf(alive);
}

/** Asked for each Service, of which there may be thousands: no list is made and sorted for it. */
function firstOf(names: ReadonlySet<string>): string | undefined {
  let first: string | undefined;
  for (const name of names) if (first === undefined || name < first) first = name;
  return first;
}

type Condition = NonNullable<NonNullable<kind.Service["status"]>["conditions"]>[number];

/** The conditions of a Service that are ours, by their types. */
const OURS: readonly string[] = [ANNOUNCED, REACHABLE];

/** A condition that a Service has now. */
function conditionOf({ status }: kind.Service, wanted: string): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === wanted);
}

/** What a Service says of what was seen; undefined if nothing. */
export function reachableBefore(service: kind.Service): Reachable | undefined {
  const { status, reason, message } = conditionOf(service, REACHABLE) ?? {};
  if (status === undefined) return undefined;
  return { status, reason, message } as Reachable;
}

type Said = Pick<Condition, "type" | "status" | "reason" | "message">;

function conditionsOf(announced: Announced | "nothing"): readonly Said[] {
  if (announced === "nothing") return [];
  const { reachable, ...said } = announced;
  return [{ type: ANNOUNCED, ...said }, ...(reachable ? [{ type: REACHABLE, ...reachable }] : [])];
}

/** True if the Service says this already. */
export function isSaid(service: kind.Service, announced: Announced | "nothing"): boolean {
  const wanted = conditionsOf(announced);
  return OURS.every(type => {
    const [before, after] = [conditionOf(service, type), wanted.find(one => one.type === type)];
    return before === undefined || after === undefined
      ? before === after
      : before.status === after.status &&
          before.reason === after.reason &&
          before.message === after.message;
  });
}

/** True if all that is new is that nothing is wrong: who waits for a Service to come up is not to wait for that. */
export function isGoodNews(service: kind.Service, announced: Announced | "nothing"): boolean {
  if (announced === "nothing" || announced.reachable?.status !== "True") return false;
  const before = reachableBefore(service);
  if (before?.status === "False") return false;
  return isSaid(service, { ...announced, ...(before ? { reachable: before } : {}) });
}

/** Would the first thing that is said of the Service be that it is not announced? */
export function isFirstSilence(service: kind.Service, announced: Announced | "nothing"): boolean {
  const isSilent = announced !== "nothing" && announced.status === "False";
  return isSilent && conditionOf(service, ANNOUNCED) === undefined;
}

/**
 * The merge patch of the status subresource that makes a Service say it. A merge patch replaces the list of
 * conditions, others' too, so it holds for the version that was read and no other.
 */
export function announcedPatch(
  service: kind.Service,
  announced: Announced | "nothing",
  now: Date,
): object {
  const others = (service.status?.conditions ?? []).filter(({ type }) => !OURS.includes(type));
  const version = { resourceVersion: service.metadata?.resourceVersion };
  // Whole seconds: the API server refuses fractions in metav1.Time when it reads strictly.
  const time = now.toISOString().replace(/\.\d+Z$/, "Z");
  const ours = conditionsOf(announced).map(said => {
    const before = conditionOf(service, said.type);
    const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : time;
    return { ...said, lastTransitionTime };
  });
  const conditions = [...others, ...ours];
  return {
    metadata: version,
    status: { conditions: conditions.length > 0 ? conditions : null },
  };
}
