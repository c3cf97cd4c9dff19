/** Addresses that the user asks for: a comma list of one IPv4, one IPv6, or one of each. */
export const LOAD_BALANCER_IPS = "metallb.io/loadBalancerIPs";

/** The pool that the user wants the address from. */
export const ADDRESS_POOL = "metallb.io/address-pool";

/** Sharing key: Services with the same key may share an address on different ports. */
export const ALLOW_SHARED_IP = "metallb.io/allow-shared-ip";

/** Written by us: the pool that the address came from. */
export const IP_ALLOCATED_FROM_POOL = "metallb.io/ip-allocated-from-pool";

/**
 * Written by us: the addresses (a comma list) that Ancho chose. It tells our choice, which may change when
 * the configuration does, from an address that the user pinned, which may not.
 */
export const ASSIGNED = "ancho.dev/assigned";

const PREFIX = "metallb.io/";

/** The prefix that MetalLB's annotations had before 0.14.9, still read. */
const LEGACY_PREFIX = "metallb.universe.tf/";

/** The old writing of one of MetalLB's annotations; undefined for an annotation that never had one. */
export function legacyKey(key: string): string | undefined {
  return key.startsWith(PREFIX) ? LEGACY_PREFIX + key.slice(PREFIX.length) : undefined;
}

/** An annotation's value; the new key wins over the legacy one, also when its value is empty. */
export function readAnnotation(
  annotations: Readonly<Record<string, string>> | undefined,
  key: string,
): string | undefined {
  const legacy = legacyKey(key);
  return annotations?.[key] ?? (legacy === undefined ? undefined : annotations?.[legacy]);
}
