import * as z from "zod";

/** What the API server needs to find objects of a kind. */
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
};

/**
 * A rule in the Common Expression Language that the API server itself checks, and what it answers:
 * `messageExpression` can quote the value, `message` stands in where it cannot be computed.
 */
export type CelRule = {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression?: string;
};

/** Metadata of a schema with CEL rules, under the key that CRDs have for them. */
export function cel(...rules: readonly CelRule[]): { "x-kubernetes-validations": CelRule[] } {
  return { "x-kubernetes-validations": [...rules] };
}

const ownerReference = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z.boolean().exactOptional(),
  blockOwnerDeletion: z.boolean().exactOptional(),
});

// JSON has RFC 3339 text here; the client library's types say Date, and ours must fit its own.
const time = z.custom<Date>(value => typeof value === "string" || value instanceof Date);

/** The part of metav1.ObjectMeta that we read and write; the CRDs leave it to the API server. */
const objectMeta = z.object({
  name: z.string().exactOptional(),
  generateName: z.string().exactOptional(),
  namespace: z.string().exactOptional(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  creationTimestamp: time.exactOptional(),
  deletionTimestamp: time.exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  annotations: z.record(z.string(), z.string()).exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
  ownerReferences: z.array(ownerReference).exactOptional(),
});

/** The fields that every object begins with. */
export const objectFields = {
  apiVersion: z.string().exactOptional(),
  kind: z.string().exactOptional(),
  metadata: objectMeta.default({}),
};
