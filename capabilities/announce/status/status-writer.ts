import { serviceL2StatusResource } from "../../config/kinds/service-l2-status";
import type { ServiceL2Status } from "../../config/kinds/service-l2-status";
import { virtualIPResource } from "../../config/kinds/virtual-ip";
import type { VirtualIP } from "../../config/kinds/virtual-ip";
import { formatAddress, parseAddress } from "../../config/address";
import { parseVipName, vipName } from "../../config/vip-name";
import type { KubeClient } from "../../kube/client";
import { isReason } from "../../kube/errors";
import type { Log } from "../../kube/log";
import type { ResourceKind } from "../../kube/resource";
import { watchStore } from "../../kube/store";
import { createWorkQueue } from "../../kube/work-queue";
import { serviceKeyOf, serviceStatusOps } from "./service-l2-status";
import type { OwnPod, StatusOp } from "./service-l2-status";
import { virtualIpPatch } from "./virtual-ip-status";
import type { AddressStatus } from "./virtual-ip-status";

/** What the status objects are to say, asked whenever one is looked at. */
export type StatusSource = {
  /** Undefined while there is no plan yet: then nothing may be taken back. */
  address(address: string): AddressStatus | undefined;
  service(key: string): {
    readonly owners: ReadonlySet<string>;
    readonly interfaces: readonly string[];
  };
};

export type StatusWriterOptions = {
  readonly client: KubeClient;
  readonly me: string;
  readonly namespace: string;
  readonly pod?: OwnPod;
  readonly source: StatusSource;
  readonly log: Log;
};

/** Keeps VirtualIP and ServiceL2Status objects true, in its own time: nothing waits for it. */
export type StatusWriter = {
  addressChanged(address: string): void;
  serviceChanged(key: string): void;
  stop(): Promise<void>;
};

const virtualIps: ResourceKind<VirtualIP> = virtualIPResource;
const l2Statuses: ResourceKind<ServiceL2Status> = serviceL2StatusResource;

export function startStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, me, namespace, source, log } = options;
  // A deleted object tells only its key; this finds the Service that it was about.
  const serviceOf = new Map<string, string>();
  const vipStore = watchStore(virtualIps, {
    log,
    onChange: key => {
      vipQueue.add(key);
    },
  });
  const statusStore = watchStore(l2Statuses, {
    log,
    namespace,
    onChange: (key, object) => {
      const service = object ? serviceKeyOf(object) : serviceOf.get(key);
      if (object) serviceOf.set(key, serviceKeyOf(object));
      else serviceOf.delete(key);
      if (service !== undefined) serviceQueue.add(service);
    },
  });

  const vipQueue = createWorkQueue({
    name: "virtual-ip-status",
    log,
    reconcile: async name => {
      const present = vipStore.get(name);
      const address = parseVipName(name);
      if (!present || !address) return;
      const known = source.address(formatAddress(address));
      const patch = known && virtualIpPatch(present, me, known);
      if (patch) await ignoreGone(client.mergePatchStatus(virtualIps, name, patch));
    },
  });

  const serviceQueue = createWorkQueue({
    name: "service-l2-status",
    log,
    reconcile: async service => {
      await statusStore.synced;
      const present = statusStore.list();
      const input = { ...source.service(service), service, me, namespace, present };
      const ops = serviceStatusOps(options.pod ? { ...input, pod: options.pod } : input);
      for (const op of ops) await applyOp(client, op);
    },
  });

  return {
    addressChanged: address => {
      const parsed = parseAddress(address);
      if (parsed) vipQueue.add(vipName(parsed));
    },
    serviceChanged: key => {
      serviceQueue.add(key);
    },
    stop: async () => {
      vipStore.stop();
      statusStore.stop();
      await Promise.all([vipQueue.stop(), serviceQueue.stop()]);
    },
  };
}

async function applyOp(client: KubeClient, op: StatusOp): Promise<void> {
  switch (op.op) {
    case "create":
      try {
        await client.create(l2Statuses, op.object);
      } catch (error) {
        if (!isReason(error, "AlreadyExists")) throw error;
      }
      return;
    case "patch":
      // Gone since the store saw it: the watch will say so, and this runs again.
      await ignoreGone(client.mergePatchStatus(l2Statuses, op.key, op.patch));
      return;
    case "delete":
      await ignoreGone(client.delete(l2Statuses, op.key));
      return;
  }
}

async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}
