import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import {
  ASSIGNED,
  IP_ALLOCATED_FROM_POOL,
  LOAD_BALANCER_IPS,
  legacyKey,
} from "../config/annotations";
import { includesAddress, inFamilyOrder, parseAddresses } from "./service";
import type { Service } from "./service";

/**
 * What admission leaves on a Service that it chose an address for: the address where everybody looks
 * for it (`spec.loadBalancerIP`, which holds one, or the annotation `metallb.io/loadBalancerIPs`, which holds
 * two), and the annotation `ancho.dev/assigned`, which says that we chose it and not the user.
 */
export function writeMarks(service: Service, addresses: readonly IpAddress[]): void {
  const ordered = inFamilyOrder(addresses).map(formatAddress);
  removeMarks(service);
  const metadata = (service.metadata ??= {});
  const annotations = (metadata.annotations ??= {});
  annotations[ASSIGNED] = ordered.join(",");
  const [first] = ordered;
  if (ordered.length > 1) annotations[LOAD_BALANCER_IPS] = ordered.join(",");
  else if (first !== undefined) (service.spec ??= {}).loadBalancerIP = first;
}

/** Removes our choice, and nothing that the user wrote. */
export function removeMarks(service: Service): void {
  const ours = assignedAddresses(service);
  const annotations = service.metadata?.annotations ?? {};
  if (service.spec && areOurs(service.spec.loadBalancerIP, ours)) {
    delete service.spec.loadBalancerIP;
  }
  for (const key of [LOAD_BALANCER_IPS, legacyKey(LOAD_BALANCER_IPS) ?? ""]) {
    if (areOurs(annotations[key], ours)) Reflect.deleteProperty(annotations, key);
  }
  Reflect.deleteProperty(annotations, ASSIGNED);
}

/** Also removes the pool's name, which stands on a Service as long as it has an address. */
export function removeAllMarks(service: Service): void {
  removeMarks(service);
  Reflect.deleteProperty(service.metadata?.annotations ?? {}, IP_ALLOCATED_FROM_POOL);
}

/** The addresses that the Service is marked with as chosen by us. */
export function assignedAddresses(service: Service | undefined): readonly IpAddress[] {
  const text = service?.metadata?.annotations?.[ASSIGNED] ?? "";
  return parseAddresses(text.split(",").filter(part => part !== "")).addresses;
}

export function isMarked(service: Service | undefined): boolean {
  return service?.metadata?.annotations?.[ASSIGNED] !== undefined;
}

function areOurs(text: string | undefined, ours: readonly IpAddress[]): boolean {
  if (text === undefined) return false;
  const { addresses, wrong } = parseAddresses(text.split(",").map(part => part.trim()));
  return wrong.length === 0 && addresses.every(address => includesAddress(ours, address));
}
