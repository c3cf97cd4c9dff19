import { setTimeout as sleep } from "node:timers/promises";
import type { kind } from "kubernetes-fluent-client";
import { createKubeClient } from "../../capabilities/kube/client";
import type { KubeClient } from "../../capabilities/kube/client";
import { createConnectionSource } from "../../capabilities/kube/connection";
import { createLogger } from "../../capabilities/kube/log";
import { services } from "../../capabilities/kube/resource";
import { watchStore } from "../../capabilities/kube/store";
import { waitFor } from "../../hack/wait";

/** What became of one Service; all times in ms since its create was sent. */
export type Sample = {
  /** Until the create was answered. */
  readonly createMs: number;
  /** Whether that answer had the address. */
  readonly inAnswer: boolean;
  /** Until somebody who watches can know the address: by the answer itself, or else by the status. */
  readonly addressMs: number | undefined;
  /** Until the status had the address. */
  readonly statusMs: number | undefined;
};

export type Crowd = { readonly samples: readonly Sample[]; readonly elapsedMs: number };

export type CrowdOptions = {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly count: number;
  /** How many clients create at the same time, each on a connection of its own. */
  readonly clients: number;
  /**
   * A client begins its next create no sooner than so many ms after the last, and no two begin together; 0: as soon as
   * the last was answered.
   */
  readonly everyMs?: number;
  /** Whether anybody will give them addresses, so that they are waited for. */
  readonly isServed: boolean;
  /** Whether they have pods to choose, for which the control plane then makes Endpoints and EndpointSlices. */
  readonly hasSelector?: boolean;
};

const ADDRESSES_TIMEOUT_MS = 240_000;

type Times = { begin: number; answered?: number; inAnswer?: boolean; inStatus?: number };

/** Creates Services as fast as so many clients can, each of which waits for its answer before it goes on. */
export async function createCrowd(options: CrowdOptions): Promise<Crowd> {
  const { kubeconfig, namespace, count, isServed } = options;
  const times = new Map<string, Times>();
  process.env["KUBECONFIG"] = kubeconfig;
  const store = watchStore<kind.Service>(services, {
    namespace,
    log: createLogger("bench"),
    onChange: (_, service) => {
      if (service) noticeStatus(service, times);
    },
  });
  await store.synced;
  try {
    const begin = performance.now();
    await createAll(options, times);
    const elapsedMs = performance.now() - begin;
    const isKnown = (it: Times): boolean => it.inStatus !== undefined;
    if (isServed) {
      await waitFor(
        `${count} Services of ${namespace} to have addresses`,
        () => Promise.resolve([...times.values()].every(isKnown)),
        ADDRESSES_TIMEOUT_MS,
      );
    }
    return { samples: [...times.values()].map(toSample), elapsedMs };
  } finally {
    store.stop();
  }
}

function noticeStatus({ metadata, status }: kind.Service, times: Map<string, Times>): void {
  const it = times.get(metadata?.name ?? "");
  if (it && status?.loadBalancer?.ingress?.[0]?.ip) it.inStatus ??= performance.now();
}

function toSample({ begin, answered = NaN, inAnswer = false, inStatus }: Times): Sample {
  const statusMs = inStatus === undefined ? undefined : inStatus - begin;
  const createMs = answered - begin;
  return { createMs, inAnswer, addressMs: inAnswer ? createMs : statusMs, statusMs };
}

async function createAll(options: CrowdOptions, times: Map<string, Times>): Promise<void> {
  const { kubeconfig, namespace, count, clients, everyMs = 0, hasSelector = true } = options;
  const names = Array.from({ length: count }, (_, i) => `s${i}`);
  const worker = async (index: number): Promise<void> => {
    await sleep((everyMs * index) / clients);
    const client = createKubeClient({ connections: createConnectionSource({ kubeconfig }) });
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const next = performance.now() + everyMs;
      await createOne(client, serviceOf(namespace, name, hasSelector), times);
      await sleep(Math.max(0, next - performance.now()));
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => worker(index)));
}

async function createOne(
  client: KubeClient,
  service: kind.Service & { metadata: { name: string } },
  times: Map<string, Times>,
): Promise<void> {
  const it: Times = { begin: performance.now() };
  times.set(service.metadata.name, it);
  const answer = await client.create<kind.Service>(services, service);
  it.answered = performance.now();
  it.inAnswer = answer.spec?.loadBalancerIP !== undefined;
}

function serviceOf(
  namespace: string,
  name: string,
  hasSelector: boolean,
): kind.Service & { metadata: { name: string } } {
  return {
    metadata: { namespace, name },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      ...(hasSelector ? { selector: { app: name } } : {}),
      ports: [{ port: 80, protocol: "TCP" }],
    },
  };
}
