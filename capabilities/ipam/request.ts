import {
  ADDRESS_POOL,
  ALLOW_SHARED_IP,
  LOAD_BALANCER_IPS,
  legacyKey,
  readAnnotation,
} from "../config/annotations";
import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { familyTitle } from "./families";
import type { WantedFamilies } from "./families";
import { assignedAddresses } from "./marks";
import type { Refusal } from "./refusal";
import { includesAddress, parseAddresses } from "./service";
import type { Service } from "./service";

/** What the author of a Service asks for; without addresses and pool, any address will do. */
export type AddressRequest = {
  /** At most one per family; empty if none was asked for. */
  readonly addresses: readonly IpAddress[];
  /** The field that asks for the addresses, for messages. */
  readonly field: string;
  readonly pool?: string;
  readonly sharingKey?: string;
};

export type RequestResult =
  | { readonly ok: true; readonly request: AddressRequest }
  | { readonly ok: false; readonly refusal: Refusal };

const SPEC_FIELD = "spec.loadBalancerIP";

/**
 * Reads what the user asks for. An address that Ancho itself wrote into the same fields (marked by the
 * annotation `ancho.dev/assigned`) is no request.
 */
export function parseRequest(service: Service): RequestResult {
  const ours = assignedAddresses(service);
  const annotation = (key: string): string | undefined =>
    readAnnotation(service.metadata?.annotations, key);
  const spec = source(SPEC_FIELD, service.spec?.loadBalancerIP, ours);
  const listed = source(fieldOf(service, LOAD_BALANCER_IPS), annotation(LOAD_BALANCER_IPS), ours);
  const refusal = problemOf(spec) ?? problemOf(listed) ?? contradiction(spec, listed);
  if (refusal) return { ok: false, refusal };
  const { addresses, field } = spec.addresses.length > 0 ? spec : listed;
  const pool = annotation(ADDRESS_POOL);
  const sharingKey = annotation(ALLOW_SHARED_IP);
  const wish = { ...(pool ? { pool } : {}), ...(sharingKey ? { sharingKey } : {}) };
  return { ok: true, request: { addresses, field, ...wish } };
}

/** Do the asked-for addresses fit the families that the Service has? */
export function checkFamilies(
  request: AddressRequest,
  { families, all }: WantedFamilies,
): Refusal | undefined {
  const { addresses, field } = request;
  if (addresses.length === 0) return undefined;
  const value = addresses.map(formatAddress).join(",");
  const stranger = addresses.find(address => !families.includes(address.family));
  const has = families.map(familyTitle).join(" and ");
  if (stranger) {
    const title = familyTitle(stranger.family);
    return {
      code: "WrongFamily",
      field,
      value,
      problem: `is an ${title} address, and the Service has only ${has}`,
      remedy: `ask for an ${has} address, or add ${title} to spec.ipFamilies`,
    };
  }
  if (all && addresses.length < families.length) {
    return {
      code: "WrongFamily",
      field,
      value,
      problem: "is one address, and the Service needs one of each family (RequireDualStack)",
      remedy: `write one IPv4 and one IPv6 address into the annotation ${LOAD_BALANCER_IPS}`,
    };
  }
  return undefined;
}

/** The annotation's key as the user wrote it, new or legacy, for messages. */
export function fieldOf(service: Service, key: string): string {
  const annotations = service.metadata?.annotations ?? {};
  const legacy = legacyKey(key) ?? key;
  const isLegacy = annotations[key] === undefined && annotations[legacy] !== undefined;
  return `annotation ${isLegacy ? legacy : key}`;
}

type Source = {
  readonly field: string;
  readonly text: string;
  readonly addresses: readonly IpAddress[];
  readonly wrong: readonly string[];
};

function source(field: string, text: string | undefined, ours: readonly IpAddress[]): Source {
  const parts = (text ?? "").split(",").map(part => part.trim());
  const { addresses, wrong } = parseAddresses(parts.filter(part => part !== ""));
  const isOurs = wrong.length === 0 && addresses.every(address => includesAddress(ours, address));
  return { field, text: text ?? "", addresses: isOurs ? [] : addresses, wrong };
}

function problemOf({ field, text, addresses, wrong }: Source): Refusal | undefined {
  const base = { field, value: text };
  if (wrong.length > 0) {
    return {
      ...base,
      code: "MalformedAddress",
      problem: `is not an IP address${wrong[0] === text ? "" : ` (at "${wrong[0] ?? ""}")`}`,
      remedy: 'write an address like "192.0.2.10" or "2001:db8::10", or remove the field',
    };
  }
  const families = new Set(addresses.map(address => address.family));
  if (families.size < addresses.length) {
    return {
      ...base,
      code: "TooManyAddresses",
      problem: "asks for several addresses of one family",
      remedy: "write at most one IPv4 and one IPv6 address",
    };
  }
  return undefined;
}

function contradiction(spec: Source, annotation: Source): Refusal | undefined {
  if (spec.addresses.length === 0 || annotation.addresses.length === 0) return undefined;
  return {
    code: "ContradictoryRequest",
    field: spec.field,
    value: spec.text,
    problem: `is set beside the ${annotation.field} "${annotation.text}"`,
    remedy: "remove one of the two",
  };
}
