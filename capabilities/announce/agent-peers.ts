import type { AgentParts } from "./agent-parts";
import { turnOf } from "./decision";
import type { Turn } from "./decision";
import type { NodeFacts } from "./facts";
import type { Link } from "./layer2/kernel-state";
import type { Claim, HeartbeatCounts, Member, Phase } from "./membership/membership";
import { followSecret } from "./membership/secret";
import { startHeartbeatThread } from "./membership/thread";

/** What this node tells the other announcers, and what it hears of them. */
export type Peers = {
  /** Follows the Secret of the heartbeats' key; nothing is sent before. Resolves when there is one. */
  speak(): Promise<void>;
  members(): readonly Member[];
  counts(): HeartbeatCounts;
  /** Who the others are; told on when it is something else than before. */
  setNodes(nodes: readonly NodeFacts[]): void;
  setLinks(links: readonly Link[]): void;
  setClaims(claims: readonly Claim[]): void;
  setPhase(phase: Phase): void;
  stop(): Promise<void>;
};

export type PeersListener = {
  /** After every change of the members. */
  readonly onChange: (turn: Turn) => void;
  /** This process stood still for so long that others may have replaced it. */
  readonly onStall: () => void;
};

/** Starts to listen. */
export async function startPeers(
  { options, client, log }: AgentParts,
  { onChange, onStall }: PeersListener,
): Promise<Peers> {
  const membership = await startHeartbeatThread({
    node: options.nodeName,
    port: options.heartbeatPort,
    intervalMs: options.heartbeatIntervalMs,
    warn: message => {
      log.warn({}, message);
    },
  });
  let before: readonly Member[] = [];
  membership.onChange(members => {
    const turn = turnOf(before, members);
    before = members;
    onChange(turn);
  });
  membership.onStall(onStall);
  let told = "";
  let secret: { stop(): Promise<void> } | undefined;

  return {
    speak: () =>
      new Promise(resolve => {
        secret = followSecret({
          ...{ client, log, namespace: options.namespace, now: () => performance.now() },
          onKeys: keys => {
            membership.setKeys(keys);
            resolve();
          },
        });
      }),
    members: () => membership.members(),
    counts: () => membership.counts(),
    setNodes: nodes => {
      const peers = nodes
        .filter(({ name }) => name !== options.nodeName)
        .map(({ name, addresses }) => ({ node: name, addresses }));
      const text = JSON.stringify(peers);
      if (text === told) return;
      told = text;
      membership.setPeers(peers);
    },
    setLinks: links => {
      membership.setLinks(links);
    },
    setClaims: claims => {
      membership.setClaims(claims);
    },
    setPhase: phase => {
      membership.setPhase(phase);
    },
    stop: async () => {
      await secret?.stop();
      await membership.stop();
    },
  };
}
