import type { Config } from "../../config/config";
import { EXCLUDE_LABEL } from "../facts";
import type { NodeFacts, ServiceFacts } from "../facts";
import { wantedPeers } from "./routes";
import type { WantedPeer } from "./routes";
import { createSessions } from "./sessions";
import type { SessionReport, SessionsOptions } from "./sessions";
import { NOTHING_TOLD, changesBetween, viewOf } from "./view";
import type { BgpView } from "./view";

/** The cluster, as far as BGP depends on it. */
export type BgpCluster = {
  readonly config: Config;
  readonly services: readonly ServiceFacts[];
  /** The node that this runs on; undefined while it is not known. */
  readonly me: NodeFacts | undefined;
};

export type AdvertiserOptions = Omit<SessionsOptions, "now"> & {
  readonly ignoreExcludeLabel: boolean;
  /** How long routers are given to find other ways before a route is taken back on purpose, ms. */
  readonly drainMs: number;
  /** Called when routers are told of other Services than before. */
  readonly onView: (view: BgpView, changes: ReturnType<typeof changesBetween>) => void;
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
};

/** Tells this node's routers what it delivers. */
export type Advertiser = {
  update(cluster: BgpCluster): void;
  reports(): readonly SessionReport[];
  /**
   * Makes the routes the worst ones first (RFC 8326), then ends the sessions and says why. Routers that agreed to
   * graceful restart are told nothing and keep the routes, unless the node itself is going away.
   */
  stop(reason: string): Promise<void>;
};

/**
 * A node that is to be left (the exclude label, or its announcer ends) keeps its routes for a while, with the
 * community GRACEFUL_SHUTDOWN: routers prefer others' while packets on their way are still delivered.
 */
export function createAdvertiser(options: AdvertiserOptions): Advertiser {
  const { drainMs, now, after, ignoreExcludeLabel } = options;
  const sessions = createSessions({
    ...options,
    onNews: news => {
      options.onNews?.(news);
      show();
      // What could wait for the end of the session need not wait any more.
      if (news.change.type === "down" && news.change.wasUp) after(0, apply);
    },
  });
  let cluster: BgpCluster | undefined;
  let wanted: readonly WantedPeer[] = [];
  let view = NOTHING_TOLD;
  let wasServing = false;
  let drainUntil = 0;
  let phase: "serving" | "leaving" | "stopped" = "serving";
  /** Peers that keep our routes while we are away. */
  let keepers: ReadonlySet<string> = new Set();

  function isDraining({ me }: BgpCluster): boolean {
    const isExcluded = me !== undefined && EXCLUDE_LABEL in me.labels && !ignoreExcludeLabel;
    if (!isExcluded) drainUntil = 0;
    else if (wasServing) {
      drainUntil = now() + drainMs;
      after(drainMs, apply);
    }
    wasServing = me !== undefined && !isExcluded;
    return isExcluded && now() < drainUntil;
  }

  /** A node that is Ready and in service stays, so its announcer is being restarted. */
  function comesBack(me: NodeFacts | undefined): boolean {
    const isInService =
      me !== undefined &&
      !me.isNetworkUnavailable &&
      (ignoreExcludeLabel || !(EXCLUDE_LABEL in me.labels));
    return isInService && me.notReadySince === undefined;
  }

  function apply(): void {
    if (!cluster || phase === "stopped") return;
    const drains = isDraining(cluster);
    wanted = wantedPeers({
      ...cluster,
      ignoreExcludeLabel: ignoreExcludeLabel || drains,
      isLeaving: drains || phase === "leaving",
      keepers,
    });
    sessions.apply(wanted, cluster.me);
    show();
  }

  function show(): void {
    const up = new Set(sessions.reports().flatMap(({ name, isUp }) => (isUp ? name : [])));
    const before = view;
    view = viewOf(wanted, name => up.has(name));
    const changes = changesBetween(before, view);
    if (changes.services.length + changes.addresses.length > 0) options.onView(view, changes);
  }

  return {
    update: next => {
      cluster = next;
      apply();
    },
    reports: () => sessions.reports(),
    stop: async reason => {
      const isRestart = cluster !== undefined && comesBack(cluster.me);
      phase = "leaving";
      const kept = sessions.reports().flatMap(({ name, isKept }) => (isKept ? name : []));
      if (isRestart) keepers = new Set(kept);
      apply();
      const isMissed = [...view.addresses.values()].flat().some(name => !keepers.has(name));
      if (isMissed && drainMs > 0) await new Promise<void>(resolve => after(drainMs, resolve));
      phase = "stopped";
      wanted = [];
      await sessions.stop(reason, { isRestart });
      show();
    },
  };
}
