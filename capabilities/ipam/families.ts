import { parseAddress } from "../config/address";
import type { Family } from "../config/address";
import type { Service } from "./service";

/** The address families of the cluster's Services, the primary one first. */
export type ClusterFamilies = readonly Family[];

/**
 * The families in which a Service needs addresses, in its own order. With `all`, it can only be
 * served with an address in each of them; otherwise (PreferDualStack) fewer will do.
 */
export type WantedFamilies = { readonly families: readonly Family[]; readonly all: boolean };

/**
 * Which families a Service will have. At admission of a create the API server has not yet filled in
 * `ipFamilies` and `ipFamilyPolicy`, so this repeats its rules (kubernetes
 * pkg/registry/core/service/storage/alloc.go, initIPFamilyFields): given families and cluster IPs count,
 * then those of the object before the update, then the cluster's primary family; dual-stack policies add
 * the other family where the cluster has it, and SingleStack keeps the first.
 */
export function wantedFamilies(
  service: Service,
  cluster: ClusterFamilies,
  old?: Service,
): WantedFamilies {
  const policy = policyOf(service) ?? policyOf(old) ?? "SingleStack";
  const given = [givenFamilies(service), givenFamilies(old), cluster].find(list => list.length > 0);
  const [primary = "ipv4", second] = given ?? [];
  if (policy === "SingleStack") return { families: [primary], all: true };
  const other = second ?? cluster.find(family => family !== primary);
  const families = other ? [primary, other] : [primary];
  return { families, all: policy === "RequireDualStack" };
}

function policyOf(service: Service | undefined): string | undefined {
  return service?.spec?.ipFamilyPolicy;
}

/** The families that a Service says itself that it has: by its list, or by its cluster IPs. */
export function givenFamilies(service: Service | undefined): readonly Family[] {
  const listed = (service?.spec?.ipFamilies ?? []).flatMap(parseFamily);
  if (listed.length > 0) return listed;
  const { clusterIPs, clusterIP } = service?.spec ?? {};
  const texts = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
  return texts.flatMap(text => parseAddress(text)?.family ?? []);
}

/** "IPv4" or "IPv6" of the Kubernetes API; none for anything else. */
export function parseFamily(text: string): readonly Family[] {
  const family = text.toLowerCase();
  return family === "ipv4" || family === "ipv6" ? [family] : [];
}

/** A family as Kubernetes and people write it. */
export function familyTitle(family: Family): "IPv4" | "IPv6" {
  return family === "ipv4" ? "IPv4" : "IPv6";
}
