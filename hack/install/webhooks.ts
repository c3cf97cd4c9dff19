import type { Manifest } from "./manifest";

type Condition = { readonly name: string; readonly expression: string };
type Webhook = { readonly name: string };

/** Nobody else's Services cost a call: those that are no LoadBalancer and were none. */
const loadBalancers: Condition = {
  name: "load-balancers",
  expression:
    'request.resource.resource != "services" || object.spec.type == "LoadBalancer" || (oldObject != null && oldObject.spec.type == "LoadBalancer")',
};

/**
 * What Mutate chose of itself for a Service that asks for nothing is not judged again: there is no wish that could be
 * wrong. Whatever else the Service says, or another webhook made of it since, is.
 */
const wishes: Condition = {
  name: "wishes",
  expression: [
    '!(request.resource.resource == "services" && request.operation == "CREATE"',
    'has(object.metadata.annotations) && "ancho.dev/assigned" in object.metadata.annotations',
    'has(object.spec.loadBalancerIP) && object.spec.loadBalancerIP == object.metadata.annotations["ancho.dev/assigned"]',
    'object.metadata.annotations.all(key, !key.startsWith("metallb.io/") && !key.startsWith("metallb.universe.tf/")))',
  ].join(" && "),
};

const conditions: Readonly<Record<string, readonly Condition[]>> = {
  MutatingWebhookConfiguration: [loadBalancers],
  ValidatingWebhookConfiguration: [loadBalancers, wishes],
};

/** A webhook configuration of Pepr's that spares the API server the calls whose answer is known. */
export function sparing(object: Manifest): Manifest {
  const matchConditions = conditions[object.kind];
  if (!matchConditions) return object;
  const webhooks = object["webhooks"] as readonly Webhook[];
  return { ...object, webhooks: webhooks.map(webhook => ({ ...webhook, matchConditions })) };
}
