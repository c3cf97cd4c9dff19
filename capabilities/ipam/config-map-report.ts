import { formatConfigError, parseConfig } from "../config/config";
import type { ParsedConfig } from "../config/config";
import { CONFIG_MAP_NAME } from "../config/config-map/convert";
import type { ConfigError } from "../config/config-error";
import type { EventRecorder, EventSubject } from "../kube/events";
import type { Log } from "../kube/log";
import type { Store } from "../kube/store";

export type ConfigMapReportParts = {
  readonly poolStore: Pick<Store<unknown>, "list">;
  readonly configMapStore: Pick<Store<unknown>, "list">;
  /** Of several watchers one tells. */
  readonly isLeading: () => boolean;
  readonly events: EventRecorder;
  readonly log: Log;
};

/** A sentence about the ConfigMap, and the reason of the event that carries it. */
export type ConfigMapRemark = {
  readonly reason: "ConfigurationError" | "ConfigurationReplaced";
  readonly sentence: string;
};

/**
 * What is to be said about the ConfigMap of MetalLB 0.12: what is wrong in it, what of it contradicts resources,
 * and what resources have taken the place of.
 */
export function remarksOn(parsed: ParsedConfig): readonly ConfigMapRemark[] {
  const errors = parsed.ok ? [] : parsed.errors.filter(isOfConfigMap);
  return [
    ...errors.map(error => remark("ConfigurationError", error)),
    ...parsed.notices.map(notice => remark("ConfigurationReplaced", notice)),
  ];
}

/**
 * Makes a function that looks at the configuration and tells, as events of the ConfigMap and in the log, what has
 * come up since it was called last. A ConfigMap has no status to write it to.
 */
export function createConfigMapReport(parts: ConfigMapReportParts): () => void {
  const { poolStore, configMapStore, isLeading, events, log } = parts;
  let told: ReadonlySet<string> = new Set();
  return () => {
    if (!isLeading()) return;
    const [configMap] = configMapStore.list();
    const remarks =
      configMap === undefined
        ? []
        : remarksOn(parseConfig({ pools: poolStore.list(), l2Ads: [], configMap }));
    for (const { reason, sentence } of remarks.filter(one => !told.has(one.sentence))) {
      log.warn({ reason }, sentence);
      void events.emit(subjectOf(configMap), "Warning", reason, sentence);
    }
    told = new Set(remarks.map(({ sentence }) => sentence));
  };
}

function isOfConfigMap({ object }: ConfigError): boolean {
  return object.includes("ConfigMap ");
}

function remark(reason: ConfigMapRemark["reason"], error: ConfigError): ConfigMapRemark {
  return { reason, sentence: formatConfigError(error) };
}

function subjectOf(configMap: unknown): EventSubject {
  const { metadata = {} } = configMap as {
    readonly metadata?: { readonly namespace?: string; readonly uid?: string };
  };
  return { apiVersion: "v1", kind: "ConfigMap", name: CONFIG_MAP_NAME, ...pick(metadata) };
}

function pick({ namespace, uid }: { readonly namespace?: string; readonly uid?: string }): object {
  return { ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) };
}
