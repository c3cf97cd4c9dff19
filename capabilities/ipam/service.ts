import type { kind } from "kubernetes-fluent-client";
import { formatAddress, parseAddress } from "../config/address";
import type { IpAddress } from "../config/address";

/** A core/v1 Service as the API server sends it. */
export type Service = kind.Service;

/**
 * Is this Service ours to serve? By default those without a `loadBalancerClass`; with a class
 * configured, exactly those that name it. Everybody else's are never touched.
 */
export function isOurs(service: Service | undefined, lbClass: string | undefined): boolean {
  return (
    service?.spec?.type === "LoadBalancer" &&
    (service.spec.loadBalancerClass ?? undefined) === lbClass
  );
}

/** `namespace/name`; while the API server has yet to generate the name, `namespace/prefix*`. */
export function serviceTitle(service: Service, namespace?: string): string {
  const { name, generateName, namespace: own } = service.metadata ?? {};
  return `${own ?? namespace ?? "default"}/${name ?? `${generateName ?? ""}*`}`;
}

/** The addresses in the Service's status; entries that are no addresses are left out. */
export function statusAddresses(service: Service | undefined): readonly IpAddress[] {
  const texts = (service?.status?.loadBalancer?.ingress ?? []).map(entry => entry.ip ?? "");
  return parseAddresses(texts).addresses;
}

/** The addresses among the texts, without repetition, and the texts that are none. */
export function parseAddresses(texts: readonly string[]): {
  addresses: readonly IpAddress[];
  wrong: readonly string[];
} {
  const parsed = texts.map(text => ({ text, address: parseAddress(text) }));
  const seen = new Map<string, IpAddress>();
  for (const { address } of parsed) {
    if (address) seen.set(formatAddress(address), address);
  }
  return {
    addresses: [...seen.values()],
    wrong: parsed.filter(entry => !entry.address).map(entry => entry.text),
  };
}

export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Is the address one of these? */
export function includesAddress(list: readonly IpAddress[], address: IpAddress): boolean {
  return list.some(other => sameAddress(other, address));
}

/** The same addresses, in whatever order? */
export function sameAddresses(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  return a.length === b.length && a.every(address => includesAddress(b, address));
}

/** The order of a Service's addresses everywhere: IPv4 before IPv6, as MetalLB has it. */
export function inFamilyOrder(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return [...addresses].sort((a, b) => a.family.localeCompare(b.family));
}
