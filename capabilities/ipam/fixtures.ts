import { parseAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { parseConfig } from "../config/config";
import type { Config } from "../config/config";
import type { Service } from "./service";

/** For tests: an IPAddressPool as a user writes it. */
export function rawPool(name: string, addresses: readonly string[], spec: object = {}): object {
  return { metadata: { name, namespace: "metallb-system" }, spec: { addresses, ...spec } };
}

/** For tests: a configuration of these pools; throws if one of them is wrong. */
export function configOf(...pools: readonly object[]): Config {
  const parsed = parseConfig({ pools, l2Ads: [] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.config;
}

/** For tests: an address that is known to be one. */
export function ip(text: string): IpAddress {
  const address = parseAddress(text);
  if (!address) throw new Error(`"${text}" is not an address`);
  return address;
}

type ServiceParts = {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly status?: readonly string[];
  readonly uid?: string;
  readonly spec?: NonNullable<Service["spec"]>;
};

/** For tests: a Service of type LoadBalancer; `key` is `namespace/name`. */
export function serviceOf(key: string, parts: ServiceParts = {}): Service {
  const [namespace = "", name = ""] = key.split("/");
  const { annotations, labels, status = [], uid, spec } = parts;
  return {
    metadata: {
      namespace,
      name,
      ...(annotations ? { annotations } : {}),
      ...(labels ? { labels } : {}),
      ...(uid === undefined ? {} : { uid }),
    },
    spec: {
      type: "LoadBalancer",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP" }],
      ...spec,
    },
    status: status.length > 0 ? { loadBalancer: { ingress: status.map(at => ({ ip: at })) } } : {},
  };
}
