import type { kind } from "kubernetes-fluent-client";
import type { Verdict } from "../plan";

/** The condition of a Service that says whether the network is told where its addresses are, or why not. */
export const ANNOUNCED = "Announced";

/** Where a Service stands; `reason` is CamelCase for machines, `message` for people. */
export type Announced = {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
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
};

/**
 * What this node is to say of a Service: nothing of one without addresses; undefined if another node is to say it, or
 * if it is too early. One node speaks for a Service: the owner of its first address that has one, or else the first
 * node that is alive.
 */
export function announcedOf(input: AnnouncedInput): Announced | "nothing" | undefined {
  const { me, verdicts, answering, withoutInterface } = input;
  if (speakerOf(input) !== me) return undefined;
  if (verdicts.length === 0) return "nothing";
  const isMute = ({ address, owner }: Verdict): boolean =>
    owner === me && withoutInterface.has(address);
  const problems = verdicts.flatMap((verdict): Problem[] => {
    if (verdict.owner === undefined) return [verdict];
    return isMute(verdict) ? [noInterface(verdict.address, me)] : [];
  });
  const [first] = problems;
  if (first) {
    const texts = problems.map(({ address, message }) => `${address}: ${message}`);
    const reason = `${first.reason.charAt(0).toUpperCase()}${first.reason.slice(1)}`;
    return { status: "False", reason, message: texts.join("; ") };
  }
  // The kernel is about to answer: then this is asked again.
  if (verdicts.some(({ address, owner }) => owner === me && !answering.has(address))) {
    return undefined;
  }
  const addresses = verdicts.map(({ address }) => address).join(" and ");
  return { status: "True", reason: "Layer2", message: `A node answers for ${addresses}` };
}

type Problem = { readonly address: string; readonly reason: string; readonly message: string };

function noInterface(address: string, node: string): Problem {
  const message = `no interface of node ${node} fits: check the L2Advertisement's interfaces and that they are up`;
  return { address, reason: "NoInterface", message };
}

function speakerOf({ verdicts, alive }: AnnouncedInput): string | undefined {
  const owner = verdicts.find(verdict => verdict.owner !== undefined)?.owner;
  return owner ?? [...alive].sort()[0];
}

type Condition = NonNullable<NonNullable<kind.Service["status"]>["conditions"]>[number];

/** The condition that a Service has now. */
function announcedBefore({ status }: kind.Service): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === ANNOUNCED);
}

/** True if the Service says this already. */
export function isSaid(service: kind.Service, announced: Announced | "nothing"): boolean {
  const before = announcedBefore(service);
  if (announced === "nothing") return before === undefined;
  const { status, reason, message } = announced;
  return before?.status === status && before.reason === reason && before.message === message;
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
  const before = announcedBefore(service);
  const others = (service.status?.conditions ?? []).filter(({ type }) => type !== ANNOUNCED);
  const version = { resourceVersion: service.metadata?.resourceVersion };
  if (announced === "nothing") {
    return { metadata: version, status: { conditions: others.length > 0 ? others : null } };
  }
  // Whole seconds: the API server refuses fractions in metav1.Time when it reads strictly.
  const time = now.toISOString().replace(/\.\d+Z$/, "Z");
  const lastTransitionTime = before?.status === announced.status ? before.lastTransitionTime : time;
  return {
    metadata: version,
    status: { conditions: [...others, { type: ANNOUNCED, ...announced, lastTransitionTime }] },
  };
}
