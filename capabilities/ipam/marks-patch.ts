import type { IpAddress } from "../config/address";
import { ASSIGNED, LOAD_BALANCER_IPS } from "../config/annotations";
import { writeMarks } from "./marks";
import type { Service } from "./service";

/** The merge patch that makes a Service's marks say these addresses; conditional on its version. */
export function marksPatch(service: Service, addresses: readonly IpAddress[]): object {
  const after = structuredClone(service);
  writeMarks(after, addresses);
  const annotations = after.metadata?.annotations ?? {};
  return {
    metadata: {
      resourceVersion: service.metadata?.resourceVersion,
      annotations: {
        [ASSIGNED]: annotations[ASSIGNED] ?? null,
        [LOAD_BALANCER_IPS]: annotations[LOAD_BALANCER_IPS] ?? null,
      },
    },
    spec: { loadBalancerIP: after.spec?.loadBalancerIP ?? null },
  };
}
