import type { kind } from "kubernetes-fluent-client";
import type { VirtualIP } from "../capabilities/config/kinds/virtual-ip";
import type { KubeClient } from "../capabilities/kube/client";
import { isReason } from "../capabilities/kube/errors";
import { services } from "../capabilities/kube/resource";

/** Many Services at once, and who got what. */
export type CrowdMember = {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
};

/**
 * Creates all of them by `clients` workers that do not wait for each other. A create that failed is
 * repeated, as every client does; one that took effect although its answer was lost counts as done.
 * `onCreated` is told how many there are, and is waited for by the worker that called it only.
 */
export async function createCrowd(
  client: KubeClient,
  namespace: string,
  members: readonly CrowdMember[],
  options: { readonly clients: number; readonly onCreated?: (count: number) => Promise<void> },
): Promise<void> {
  const queue = [...members];
  let count = 0;
  const worker = async (): Promise<void> => {
    for (let member = queue.shift(); member; member = queue.shift()) {
      await createOne(client, serviceOf(namespace, member));
      count += 1;
      await options.onCreated?.(count);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, worker));
}

const ATTEMPTS = 20;

async function createOne(client: KubeClient, service: kind.Service): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.create(services, service);
      return;
    } catch (error) {
      if (isReason(error, "AlreadyExists")) return;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function serviceOf(namespace: string, { name, annotations = {}, spec = {} }: CrowdMember) {
  return {
    metadata: { namespace, name, annotations },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80, protocol: "TCP" }],
      ...spec,
    },
  } satisfies kind.Service;
}

/** The addresses that a Service's status shows. */
export function ingressOf(service: kind.Service): readonly string[] {
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

/** What somebody holds, as "address namespace/name", sorted. */
export function holdings(vips: readonly VirtualIP[]): readonly string[] {
  return vips
    .flatMap(({ spec }) =>
      spec.holders.map(
        ({ namespace, name, uid }) => `${spec.address} ${namespace}/${name ?? "?"} ${uid ?? "?"}`,
      ),
    )
    .sort();
}
