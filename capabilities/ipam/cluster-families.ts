import type { KubeClient } from "../kube/client";
import { isReason } from "../kube/errors";
import { services } from "../kube/resource";
import type { ResourceKind } from "../kube/resource";
import { givenFamilies } from "./families";
import type { ClusterFamilies } from "./families";

type ServiceCIDR = { readonly spec?: { readonly cidrs?: readonly string[] } };

const serviceCIDRs: ResourceKind<ServiceCIDR> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
};

/**
 * Asks the cluster for the families of its Services. The primary one is that of the API server's own
 * Service; whether there is a second one is said by the ServiceCIDRs (Kubernetes 1.33), and in older
 * clusters by the Services that have it.
 */
export async function readClusterFamilies(client: KubeClient): Promise<ClusterFamilies> {
  const own = givenFamilies(await client.get(services, "default/kubernetes"));
  const primary = own[0] ?? "ipv4";
  const other = primary === "ipv4" ? "ipv6" : "ipv4";
  const cidrs = await readServiceCidrs(client);
  const isDual = cidrs
    ? cidrs.some(cidr => cidr.includes(":") === (other === "ipv6"))
    : (await client.list(services)).some(service => givenFamilies(service).includes(other));
  return isDual ? [primary, other] : [primary];
}

/** The prefixes that Services get their cluster addresses from; undefined before Kubernetes 1.33. */
export async function readServiceCidrs(client: KubeClient): Promise<readonly string[] | undefined> {
  try {
    return (await client.list(serviceCIDRs)).flatMap(({ spec }) => spec?.cidrs ?? []);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}
