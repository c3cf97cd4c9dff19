/** A Kubernetes object as data; what is beside these fields is carried along untouched. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/**
 * What others need comes first; webhooks come last, so that nothing calls a Service that has no
 * pods yet while the rest of the same file is being applied.
 */
const order = [
  "Namespace",
  "CustomResourceDefinition",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "Secret",
  "ConfigMap",
  "Service",
  "Deployment",
  "DaemonSet",
  "PodDisruptionBudget",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
];

/** Sort for one `kubectl apply -f`; a kind that the list does not know is an error, not a guess. */
export function inApplyOrder(objects: readonly Manifest[]): readonly Manifest[] {
  const ranked = objects.map(object => ({ object, rank: order.indexOf(object.kind) }));
  const unknown = ranked.find(({ rank }) => rank < 0)?.object;
  if (unknown) throw new Error(`${unknown.kind} ${unknown.metadata.name}: no place in the order`);
  return ranked.sort((a, b) => a.rank - b.rank).map(({ object }) => object);
}
