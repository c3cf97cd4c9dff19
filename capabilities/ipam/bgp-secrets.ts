import { isDeepStrictEqual } from "node:util";
import { BGP_SECRETS_ROLE, passwordSecretsOf } from "../config/bgp/password";
import { bgpPeerResource } from "../config/kinds/bgp-peer";
import type { KubeClient } from "../kube/client";
import type { Log } from "../kube/log";
import { roles } from "../kube/resource";
import { watchStore } from "../kube/store";
import { createWorkQueue } from "../kube/work-queue";

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
};

export type BgpSecretsParts = {
  readonly client: Pick<KubeClient, "mergePatch">;
  readonly namespace: string;
  /** Of several watchers one writes. */
  readonly isLeading: () => boolean;
  readonly log: Log;
};

/** The right to read these Secrets and no others. RBAC knows names only: neither types nor labels of Secrets. */
export function rulesFor(names: readonly string[]): readonly Rule[] {
  if (names.length === 0) return [];
  const verbs = ["get", "list", "watch"];
  return [{ apiGroups: [""], resources: ["secrets"], resourceNames: names, verbs }];
}

/**
 * Lets announcers read exactly the Secrets that BGPPeers name, as long as they name them. We may write that one Role,
 * with rights that we don't have ourselves (the verb `escalate`), and read no Secret.
 */
export function keepBgpSecrets({ client, namespace, isLeading, log }: BgpSecretsParts): {
  /** To be called now and then: leading may have begun. */
  changed(): void;
  stop(): Promise<void>;
} {
  const key = `${namespace}/${BGP_SECRETS_ROLE}`;
  const onChange = (): void => {
    queue.add(key);
  };
  const queue = createWorkQueue({
    name: "bgp-secrets",
    log,
    reconcile: async () => {
      const role = roleStore.get(key);
      if (!isLeading() || !peerStore.hasSynced() || !role) return;
      const rules = rulesFor(passwordSecretsOf(peerStore.list()));
      if (isDeepStrictEqual(role.rules ?? [], rules)) return;
      await client.mergePatch(roles, key, { rules });
      log.info({ secrets: rules[0]?.resourceNames ?? [] }, "announcers may read these Secrets");
    },
  });
  const peerStore = watchStore<unknown>(bgpPeerResource, { namespace, log, onChange });
  const roleStore = watchStore(roles, {
    ...{ namespace, log, onChange },
    fieldSelector: { "metadata.name": BGP_SECRETS_ROLE },
  });
  return {
    changed: onChange,
    stop: async () => {
      peerStore.stop();
      roleStore.stop();
      await queue.stop();
    },
  };
}
