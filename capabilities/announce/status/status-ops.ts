import type { KubeClient } from "../../kube/client";
import { isReason } from "../../kube/errors";
import type { ResourceKind } from "../../kube/resource";

/** One change of the objects that say something of Services. */
export type StatusOp<T> =
  | { readonly op: "create"; readonly object: T }
  | { readonly op: "patch"; readonly key: string; readonly patch: object }
  | { readonly op: "delete"; readonly key: string };

/** Carries a change out. What is there or gone already is as it should be. */
export async function applyOp<T>(
  client: KubeClient,
  kind: ResourceKind<T>,
  op: StatusOp<T>,
): Promise<void> {
  switch (op.op) {
    case "create":
      try {
        await client.create(kind, op.object);
      } catch (error) {
        if (!isReason(error, "AlreadyExists")) throw error;
      }
      return;
    case "patch":
      // Gone since the store saw it: the watch will say so, and this runs again.
      await ignoreGone(client.mergePatchStatus(kind, op.key, op.patch));
      return;
    case "delete":
      await ignoreGone(client.delete(kind, op.key));
      return;
  }
}

/** Waits for a call that may find its object gone. */
export async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}
