import type { ServiceBGPStatus } from "../../config/kinds/service-bgp-status";
import {
  isOfNode,
  newStatusObject,
  serviceKeyOf,
  statusKeyOf,
  statusName,
  subjectOf,
} from "./service-status-object";
import type { Author } from "./service-status-object";
import type { StatusOp } from "./status-ops";

/** Names of BGPPeers, sorted: whom a node advertises something to. */
export type Audience = {
  /** Their sessions are established. */
  readonly peers: readonly string[];
  /** Their sessions are not. */
  readonly waitingPeers: readonly string[];
};

export type BgpStatusInput = Author & {
  readonly audience: Audience;
  /** All ServiceBGPStatuses that there are. */
  readonly present: readonly ServiceBGPStatus[];
};

/**
 * What to change so that this node has one ServiceBGPStatus for a Service that it has somebody to tell of, and none
 * for others. Objects of other nodes are theirs.
 */
export function bgpStatusOps(input: BgpStatusInput): readonly StatusOp<ServiceBGPStatus>[] {
  const { service, me, audience, present, namespace } = input;
  const own = present.filter(object => serviceKeyOf(object) === service && isOfNode(object, me));
  const name = statusName("bgp", input);
  const isWanted = audience.peers.length + audience.waitingPeers.length > 0;
  const kept = own.find(object => isWanted && object.metadata.name === name);
  const removed = own.filter(object => object !== kept);
  const deletions = removed.map(object => ({ op: "delete", key: statusKeyOf(object) }) as const);
  if (!isWanted) return deletions;
  const { peers, waitingPeers } = audience;
  return [
    ...deletions,
    ...(kept ? [] : [{ op: "create", object: newStatusObject(input, name) } as const]),
    ...(kept && isSaid(kept, input)
      ? []
      : [
          {
            op: "patch",
            key: `${namespace}/${name}`,
            patch: { status: { ...subjectOf(input), peers, waitingPeers } },
          } as const,
        ]),
  ];
}

function isSaid({ status }: ServiceBGPStatus, { me, audience }: BgpStatusInput): boolean {
  const { peers = [], waitingPeers = [] } = status ?? {};
  const said: Audience = { peers, waitingPeers };
  return status?.node === me && JSON.stringify(said) === JSON.stringify(audience);
}
