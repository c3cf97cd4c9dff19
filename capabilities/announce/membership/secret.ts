import { randomBytes } from "node:crypto";
import type { kind } from "kubernetes-fluent-client";
import type { KubeClient } from "../../kube/client";
import { isReason } from "../../kube/errors";
import type { Log } from "../../kube/log";
import { secrets } from "../../kube/resource";
import { watchStore } from "../../kube/store";
import { createWorkQueue } from "../../kube/work-queue";
import { deriveKey, keyringAt, nextKeys } from "./keyring";
import type { KeyHistory } from "./keyring";
import type { Key, Keyring } from "./membership";

/** MetalLB's own Secret, so that a cluster that comes from MetalLB has it already. */
export const SECRET_NAME = "memberlist";
const SECRET_FIELD = "secretkey";
const SECRET_BYTES = 128;

export type KeySourceOptions = {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly log: Log;
  /** Called with the first keys and whenever they change. */
  readonly onKeys: (keys: Keyring) => void;
  /** Monotonic clock, ms. */
  readonly now: () => number;
};

/** Follows the Secret that the heartbeats' key is made of, and creates it where it is absent. */
export function followSecret({ client, namespace, log, onKeys, now }: KeySourceOptions): {
  stop(): Promise<void>;
} {
  const key = `${namespace}/${SECRET_NAME}`;
  let history: KeyHistory | undefined;
  let timer: NodeJS.Timeout | undefined;

  function publish(): void {
    if (!history) return;
    clearTimeout(timer);
    const { keyring, changesAt } = keyringAt(history, now());
    if (changesAt !== undefined) timer = setTimeout(publish, changesAt - now());
    onKeys(keyring);
  }

  const queue = createWorkQueue({
    name: "heartbeat-key",
    log,
    reconcile: async () => {
      const secret = store.get(key);
      if (!secret) {
        await createSecret(client, namespace);
        return;
      }
      const found = keyOfSecret(secret);
      if (!found) {
        log.error({}, `Secret ${key}: ${SECRET_FIELD} has less than 16 bytes: delete the Secret`);
        return;
      }
      history = nextKeys(history, found, now());
      publish();
    },
  });
  const store = watchStore(secrets, {
    log,
    namespace,
    fieldSelector: { "metadata.name": SECRET_NAME },
    onChange: () => {
      queue.add(key);
    },
  });
  // An absent object makes no change to be told of.
  void store.synced.then(() => {
    queue.add(key);
  });

  return {
    stop: async () => {
      clearTimeout(timer);
      store.stop();
      await queue.stop();
    },
  };
}

/** The key of a Secret; undefined for one that is empty or too short to protect anything. */
export function keyOfSecret({ data }: kind.Secret): Key | undefined {
  return deriveKey(Buffer.from(data?.[SECRET_FIELD] ?? "", "base64"));
}

/** MetalLB's form: 128 random bytes in base64, as text. Whoever creates it first decides. */
async function createSecret(client: KubeClient, namespace: string): Promise<void> {
  const text = randomBytes(SECRET_BYTES).toString("base64");
  const data = { [SECRET_FIELD]: Buffer.from(text).toString("base64") };
  try {
    await client.create(secrets, { metadata: { name: SECRET_NAME, namespace }, data });
  } catch (error) {
    if (!isReason(error, "AlreadyExists")) throw error;
  }
}
