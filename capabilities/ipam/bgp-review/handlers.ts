import type { PeprValidateRequest, a } from "pepr";
import { bgpAdvertisementResource } from "../../config/kinds/bgp-advertisement";
import { bgpPeerResource } from "../../config/kinds/bgp-peer";
import { communityResource } from "../../config/kinds/community";
import type { KubeClient } from "../../kube/client";
import { nodes } from "../../kube/resource";
import type { ResourceKind } from "../../kube/resource";
import { runtime } from "../start";
import { readPools } from "../pool-review/review";
import { bfdProfileDeletionRefusal, bgpRefusal } from "./review";
import type { BgpSurroundings, ReviewedKind } from "./review";

type Request = PeprValidateRequest<a.GenericKind>;
type Answer = ReturnType<Request["Approve"]>;

const peers: ResourceKind<unknown> = bgpPeerResource;
const ads: ResourceKind<unknown> = bgpAdvertisementResource;
const communities: ResourceKind<unknown> = communityResource;

/** Refuses what contradicts other objects, as the API server has them now. */
export const checkBgp =
  (kind: ReviewedKind) =>
  (req: Request): Promise<Answer> =>
    answer(req, async (client, namespace) => {
      if (req.Raw.metadata?.deletionTimestamp) return undefined;
      return bgpRefusal(kind, req.Raw, await readSurroundings(client, namespace));
    });

/** Pepr puts the object that is deleted into `Raw`. */
export function checkBfdProfileDeletion(req: Request): Promise<Answer> {
  return answer(req, async (client, namespace) =>
    bfdProfileDeletionRefusal(req.Raw, await client.list(peers, namespace)),
  );
}

async function answer(
  req: Request,
  judge: (client: KubeClient, namespace: string) => Promise<string | undefined>,
): Promise<Answer> {
  const { poolReview, admission } = runtime();
  try {
    const refusal = await judge(poolReview.client, poolReview.namespace);
    return refusal === undefined ? req.Approve() : req.Deny(refusal);
  } catch (error) {
    admission.log.error({ err: error, uid: req.Request.uid }, "the configuration was not checked");
    return req.Approve(["Ancho could not check this object beside others: no answer in time"]);
  }
}

async function readSurroundings(client: KubeClient, namespace: string): Promise<BgpSurroundings> {
  const [raw, bgpPeers, bgpAds, communityList, nodeList] = await Promise.all([
    readPools({ client, namespace }),
    client.list(peers, namespace),
    client.list(ads, namespace),
    client.list(communities, namespace),
    client.list(nodes),
  ]);
  return {
    ...raw,
    ...{ bgpPeers, bgpAds, communities: communityList },
    nodes: nodeList.map(({ metadata }) => metadata?.labels ?? {}),
  };
}
