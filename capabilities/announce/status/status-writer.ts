import type { VirtualIP } from "../../config/kinds/virtual-ip";
import { serviceBGPStatusResource } from "../../config/kinds/service-bgp-status";
import type { ServiceBGPStatus } from "../../config/kinds/service-bgp-status";
import { serviceL2StatusResource } from "../../config/kinds/service-l2-status";
import type { ServiceL2Status } from "../../config/kinds/service-l2-status";
import { formatAddress, parseAddress } from "../../config/address";
import { parseVipName, vipName } from "../../config/vip-name";
import type { KubeClient } from "../../kube/client";
import type { Log } from "../../kube/log";
import type { ResourceKind } from "../../kube/resource";
import { createWorkQueue } from "../../kube/work-queue";
import { bgpStatusOps } from "./service-bgp-status";
import type { Audience } from "./service-bgp-status";
import { serviceStatusOps } from "./service-l2-status";
import type { ServiceStatusInput } from "./service-l2-status";
import type { OwnPod } from "./service-status-object";
import { startServiceStatusWriter } from "./service-status-writer";
import { ignoreGone } from "./status-ops";
import { advertisers, bgpEntriesPatch, joinedPatch } from "./virtual-ip-bgp";
import type { BgpStanding } from "./virtual-ip-bgp";
import { virtualIpPatch } from "./virtual-ip-status";
import type { AddressStatus } from "./virtual-ip-status";
import { virtualIps } from "./virtual-ips";
import type { VirtualIps } from "./virtual-ips";

/** How this node and others stand to a Service. */
export type ServiceStanding = Required<
  Pick<ServiceStatusInput, "owners" | "interfaces" | "unheard" | "since">
>;

/** What the status objects are to say, asked whenever one is looked at. Undefined: it is not known; all stays as it is. */
export type StatusSource = {
  address(address: string): AddressStatus | undefined;
  service(key: string): ServiceStanding | undefined;
  standing(address: string): BgpStanding | undefined;
  audience(service: string): Audience;
};

export type StatusWriterOptions = {
  readonly client: KubeClient;
  readonly me: string;
  readonly namespace: string;
  readonly pod?: OwnPod;
  readonly source: StatusSource;
  /**
   * Called when the nodes that advertise an address by BGP have changed, or who is seen to answer for it, with the
   * Services that hold it.
   */
  readonly onAnswerers: (services: readonly string[]) => void;
  readonly vips: VirtualIps;
  readonly log: Log;
};

/** Keeps VirtualIPs and what is said of Services true, in its own time: nothing waits for it. */
export type StatusWriter = {
  readonly addressChanged: (address: string) => void;
  readonly layer2Changed: (service: string) => void;
  bgpChanged(service: string): void;
  /** Nodes that say that they advertise an address by BGP. */
  advertisersOf(address: string): readonly string[];
  /** What the address's VirtualIP says. */
  statusOf(address: string): VirtualIP["status"];
  stop(): Promise<void>;
};

const l2Statuses: ResourceKind<ServiceL2Status> = serviceL2StatusResource;
const bgpStatuses: ResourceKind<ServiceBGPStatus> = serviceBGPStatusResource;

/** Who advertises it, and who was seen to answer for it when; empty for nobody. */
function answerersIn(vip: VirtualIP | undefined): string {
  const { seen = [], observedOwner } = vip?.status ?? {};
  return [...advertisers(vip), seen, observedOwner?.since ?? []].flat().join();
}

export function startStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, me, namespace, source, vips, log } = options;
  const known = new Map<string, string>();
  vips.onChange(key => {
    vipQueue.add(key);
    const vip = vips.get(key);
    const answerers = answerersIn(vip);
    if ((known.get(key) ?? "") === answerers) return;
    if (answerers === "") known.delete(key);
    else known.set(key, answerers);
    const holders = vip?.spec.holders ?? [];
    options.onAnswerers(holders.map(({ namespace: of, name = "" }) => `${of}/${name}`));
  });

  const vipQueue = createWorkQueue({
    name: "virtual-ip-status",
    log,
    reconcile: async name => {
      const present = vips.get(name);
      const address = parseVipName(name);
      if (!present || !address) return;
      const patch = patchOf(present, formatAddress(address));
      if (patch) await ignoreGone(client.mergePatchStatus(virtualIps, name, patch));
    },
  });

  function patchOf(present: VirtualIP, address: string): object | undefined {
    const owned = source.address(address);
    const standing = source.standing(address);
    return joinedPatch(present, me, {
      layer2: (owned && virtualIpPatch(present, me, owned)?.status) ?? {},
      bgp: standing ? bgpEntriesPatch(present, me, standing, new Date().toISOString()) : {},
    });
  }

  function vipOf(address: string): VirtualIP | undefined {
    const parsed = parseAddress(address);
    return parsed && vips.get(vipName(parsed));
  }

  const author = { me, namespace, ...(options.pod ? { pod: options.pod } : {}) };
  const layer2 = startServiceStatusWriter(l2Statuses, {
    ...{ client, namespace, log },
    ops: (service, present) => {
      const standing = source.service(service);
      return standing ? serviceStatusOps({ ...author, ...standing, service, present }) : [];
    },
  });
  const bgp = startServiceStatusWriter(bgpStatuses, {
    ...{ client, namespace, log },
    ops: (service, present) =>
      bgpStatusOps({ ...author, audience: source.audience(service), service, present }),
  });

  return {
    addressChanged: address => {
      const parsed = parseAddress(address);
      if (parsed) vipQueue.add(vipName(parsed));
    },
    layer2Changed: service => {
      layer2.serviceChanged(service);
    },
    bgpChanged: service => {
      bgp.serviceChanged(service);
    },
    advertisersOf: address => advertisers(vipOf(address)),
    statusOf: address => vipOf(address)?.status,
    stop: async () => {
      await Promise.all([vipQueue.stop(), layer2.stop(), bgp.stop()]);
    },
  };
}
