import type { kind } from "kubernetes-fluent-client";
import { formatConfigError, parseConfig } from "../config/config";
import type { Config } from "../config/config";
import { passwordSecretsOf } from "../config/bgp/password";
import { CONFIG_MAP_NAME } from "../config/config-map/convert";
import { bgpAdvertisementResource } from "../config/kinds/bgp-advertisement";
import { bfdProfileResource } from "../config/kinds/bfd-profile";
import { bgpPeerResource } from "../config/kinds/bgp-peer";
import { communityResource } from "../config/kinds/community";
import { ipAddressPoolResource } from "../config/kinds/ip-address-pool";
import { l2AdvertisementResource } from "../config/kinds/l2-advertisement";
import { configMaps, endpointSlices, nodes, services } from "../kube/resource";
import { errorsHere } from "./bgp/elsewhere";
import type { Log } from "../kube/log";
import { watchStore } from "../kube/store";
import { nodeFacts } from "./facts";
import type { NodeFacts, ServiceFacts } from "./facts";
import { watchPeerSecrets } from "./peer-secrets";
import { createServiceIndex } from "./service-index";
import { atMostEvery } from "./timers";

/** The cluster's state as this node last heard of it; it stays when the API server goes. */
export type ClusterWatch = {
  /** Resolves when all that the plan needs has been listed once. */
  readonly synced: Promise<unknown>;
  services(): readonly ServiceFacts[];
  nodes(): readonly NodeFacts[];
  /** The last configuration without errors; before there was one, what is valid of the present one. */
  config(): Config;
  /** A Service as the API has it. */
  service(key: string): kind.Service | undefined;
  /** All of them, whether this is about them or not. */
  allServices(): readonly kind.Service[];
  stop(): void;
};

export type ClusterWatchOptions = {
  readonly namespace: string;
  /** The node that this runs on. */
  readonly nodeName: string;
  readonly loadBalancerClass: string | undefined;
  readonly log: Log;
  /** Called after any change that decisions may depend on; for many within `GATHER_MS`, or of Services within `gatherMs`, once. */
  readonly onChange: () => void;
  /** Called with a Service of which something else has changed, such as its conditions. */
  readonly onUnplanned: (service: kind.Service) => void;
  /** Called after each reading of the configuration, with its errors. */
  readonly onConfig: (errors: readonly string[]) => void;
};

/** What comes up together, a Service's address and its endpoints, is one plan. */
const GATHER_MS = 50;

/**
 * A plan looks at every Service, so with many of them their changes are gathered for longer, and a thousand that come
 * in a row do not cost the square of that; nobody waits for more than half a second. Nodes and configuration, which
 * change seldom, do not wait for it.
 */
function gatherMs(serviceCount: number): number {
  return Math.min(500, Math.max(GATHER_MS, serviceCount / 5));
}

export function watchCluster(options: ClusterWatchOptions): ClusterWatch {
  const { namespace, log, loadBalancerClass } = options;
  const changes = atMostEvery(() => GATHER_MS, options.onChange);
  const index = createServiceIndex(loadBalancerClass);
  const serviceChanges = atMostEvery(() => gatherMs(index.list().length), options.onChange);
  const onChange = (): void => {
    changes.call();
  };
  const readConfig = createConfigReader(options);
  const configured = {
    log,
    namespace,
    onChange: () => {
      readConfig.invalidate();
      onChange();
    },
  };
  const serviceStore = watchStore(services, {
    log,
    onChange: (key, service) => {
      if (index.takeService(key, service)) serviceChanges.call();
      else if (service) options.onUnplanned(service);
    },
  });
  const sliceStore = watchStore(endpointSlices, {
    log,
    onChange: (key, slice) => {
      if (index.takeSlice(key, slice)) serviceChanges.call();
    },
  });
  let nodeList: readonly NodeFacts[] | undefined;
  let ownLabels = "";
  const nodeStore = watchStore(nodes, {
    log,
    onChange: (name, node) => {
      nodeList = undefined;
      const labels = JSON.stringify(node?.metadata?.labels);
      // Which mistakes are this node's depends on its labels.
      if (name === options.nodeName && labels !== ownLabels) {
        ownLabels = labels;
        readConfig.invalidate();
      }
      onChange();
    },
  });
  const poolStore = watchStore<unknown>(ipAddressPoolResource, configured);
  const adStore = watchStore<unknown>(l2AdvertisementResource, configured);
  const peerStore = watchStore<unknown>(bgpPeerResource, {
    ...configured,
    onChange: () => {
      peerSecrets.follow(passwordSecretsOf(peerStore.list()));
      configured.onChange();
    },
  });
  const bgpAdStore = watchStore<unknown>(bgpAdvertisementResource, configured);
  const communityStore = watchStore<unknown>(communityResource, configured);
  const bfdStore = watchStore<unknown>(bfdProfileResource, configured);
  const peerSecrets = watchPeerSecrets(configured);
  const configMapStore = watchStore<unknown>(configMaps, {
    ...configured,
    fieldSelector: { "metadata.name": CONFIG_MAP_NAME },
  });
  const stores = [
    ...[serviceStore, sliceStore, nodeStore, poolStore, adStore],
    ...[peerStore, bgpAdStore, communityStore, bfdStore, configMapStore],
  ];

  return {
    synced: Promise.all(stores.map(store => store.synced)).then(() => peerSecrets.settled()),
    services: () => index.list(),
    nodes: () => (nodeList ??= nodeStore.list().map(nodeFacts)),
    config: () =>
      readConfig.read(nodeStore.get(options.nodeName)?.metadata?.labels, {
        pools: poolStore.list(),
        l2Ads: adStore.list(),
        bgpPeers: peerStore.list(),
        bgpAds: bgpAdStore.list(),
        communities: communityStore.list(),
        bfdProfiles: bfdStore.list(),
        secrets: peerSecrets.list(),
        configMap: configMapStore.list()[0],
      }),
    service: key => serviceStore.get(key),
    allServices: () => serviceStore.list(),
    stop: () => {
      changes.stop();
      serviceChanges.stop();
      peerSecrets.stop();
      stores.forEach(store => {
        store.stop();
      });
    },
  };
}

type Raw = Parameters<typeof parseConfig>[0] &
  Required<Pick<Parameters<typeof parseConfig>[0], "bgpPeers" | "bgpAds">>;

/**
 * Reads the configuration anew only after a change. One with errors does not replace one without: a mistake
 * must not take addresses off the network.
 */
function createConfigReader({ onConfig }: Pick<ClusterWatchOptions, "onConfig">): {
  read(labels: Readonly<Record<string, string>> | undefined, raw: Raw): Config;
  invalidate(): void;
} {
  let current: Config | undefined;
  let isGood = false;
  let isStale = true;
  return {
    invalidate: () => {
      isStale = true;
    },
    read: (labels, raw) => {
      if (current && !isStale) return current;
      const parsed = parseConfig(raw);
      const errors = errorsHere(parsed.ok ? [] : parsed.errors, raw, labels);
      const isRight = errors.length === 0;
      isStale = false;
      if (isRight || !current || !isGood) current = parsed.config;
      isGood ||= isRight;
      onConfig(errors.map(formatConfigError));
      return current;
    },
  };
}
