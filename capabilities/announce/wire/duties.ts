import type { WantedInterfaces } from "../layer2/interfaces";
import type { AddressPlan, Plan } from "../plan";
import type { Duty } from "./guard";

/** An address that this node looks after, and where. */
export type WireDuty = Duty & {
  readonly interfaces: WantedInterfaces;
  /** True while another node answers for it as well: then what is heard of it is not judged. */
  readonly isShared: boolean;
};

/** What the VirtualIP of an address says that matters here. */
export type VipFacts = {
  readonly address: string;
  /** True if it names a node that answers. */
  readonly isAnswered: boolean;
  readonly conflict?: NonNullable<Duty["known"]>;
};

export type DutiesInput = {
  readonly plan: Plan;
  readonly me: string;
  /** Nodes that may own addresses. */
  readonly alive: ReadonlySet<string>;
  /** Addresses that some node was heard to answer for since they are in the plan. */
  readonly heldEver: ReadonlySet<string>;
  /** Addresses that other nodes answer for now. */
  readonly heldByOthers: ReadonlySet<string>;
  readonly vips: readonly VipFacts[];
};

/**
 * What this node looks after: the addresses that the plan gives it, and if it is the first node that is alive, those
 * of no owner that a stranger was seen to have: somebody has to find out when that ends.
 */
export function dutiesOf(input: DutiesInput): ReadonlyMap<string, WireDuty> {
  const { plan, me, alive, vips } = input;
  const vipOf = new Map(vips.map(vip => [vip.address, vip]));
  const owned = [...plan.addresses.values()]
    .filter(({ owner }) => owner === me)
    .map(one => [one.address, dutyOf(one, vipOf.get(one.address), input)] as const);
  const isFirst = [...alive].sort()[0] === me;
  const left = vips.filter(({ address }) => isFirst && !plan.addresses.has(address));
  return new Map([...owned, ...left.flatMap(leftDuty)]);
}

function dutyOf(
  { address, interfaces }: AddressPlan,
  vip: VipFacts | undefined,
  { heldEver, heldByOthers }: DutiesInput,
): WireDuty {
  return {
    interfaces,
    // After a restart of all who were told, the VirtualIP still says that it was answered for.
    isFirstUse: !heldEver.has(address) && vip?.isAnswered !== true,
    isShared: heldByOthers.has(address),
    ...(vip?.conflict ? { known: vip.conflict } : {}),
  };
}

/** Nobody answers for it, so nothing is defended. */
function leftDuty({ address, conflict }: VipFacts): readonly (readonly [string, WireDuty])[] {
  if (!conflict) return [];
  const known = { ...conflict, isInUse: false };
  return [[address, { interfaces: "all", isFirstUse: false, isShared: false, known }]];
}
