import { formatConfigError, parseConfig } from "../config/config";
import {
  configurationStateLabels,
  configurationStateName,
  configurationStatus,
} from "../config/configuration-state";
import { configurationStateResource } from "../config/kinds/configuration-state";
import type { ConfigurationState } from "../config/kinds/configuration-state";
import type { KubeClient } from "../kube/client";
import type { ResourceKind } from "../kube/resource";
import { keepStatusObject } from "../kube/status-object";
import type { StatusObject } from "../kube/status-object";
import type { ConfigMapReportParts } from "./config-map-report";

const states: ResourceKind<ConfigurationState> = configurationStateResource;
const COMPONENT = { type: "controller" } as const;

export type ControllerStateParts = ConfigMapReportParts & {
  readonly client: KubeClient;
  readonly namespace: string;
};

/** Says in the ConfigurationState of the controller whether the pools are valid; of several watchers one says it. */
export function keepControllerState(parts: ControllerStateParts): StatusObject {
  const { client, namespace, log, poolStore, configMapStore, isLeading } = parts;
  const name = configurationStateName(COMPONENT);
  return keepStatusObject(states, {
    ...{ client, namespace, name, log },
    object: () =>
      isLeading()
        ? { metadata: { name, namespace, labels: { ...configurationStateLabels(COMPONENT) } } }
        : undefined,
    status: present => {
      const [configMap] = configMapStore.list();
      const parsed = parseConfig({ pools: poolStore.list(), l2Ads: [], configMap });
      const errors = parsed.ok ? [] : parsed.errors.map(formatConfigError);
      return configurationStatus(COMPONENT, errors, { present: present?.status, now: new Date() });
    },
  });
}
