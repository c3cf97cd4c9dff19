import type { ConfigurationState } from "./kinds/configuration-state";

/** Who says whether it can use the configuration: the allocator of the cluster, or the announcer of a node. */
export type Component =
  | { readonly type: "controller" }
  | { readonly type: "speaker"; readonly node: string };

const CONDITIONS = { controller: "poolReconcilerValid", speaker: "configReconcilerValid" } as const;

/** The object's name, as MetalLB has it. */
export function configurationStateName(component: Component): string {
  return component.type === "controller" ? "controller" : `speaker-${component.node}`;
}

/** Labels to find the objects of a node or of a component by. */
export function configurationStateLabels(component: Component): Readonly<Record<string, string>> {
  const type = { "metallb.io/component-type": component.type };
  return component.type === "controller"
    ? type
    : { ...type, "metallb.io/node-name": component.node };
}

/**
 * What the status is to say after a reading of the configuration with these errors. A condition that stays as it
 * is keeps its time, so that the same errors give the same status.
 */
export function configurationStatus(
  component: Component,
  errors: readonly string[],
  { present, now }: { readonly present: ConfigurationState["status"]; readonly now: Date },
): NonNullable<ConfigurationState["status"]> {
  const isValid = errors.length === 0;
  const errorSummary = errors.join("\n");
  const type = CONDITIONS[component.type];
  const status = isValid ? ("True" as const) : ("False" as const);
  const before = present?.conditions?.find(one => one.type === type);
  const lastTransitionTime =
    before?.status === status ? before.lastTransitionTime : now.toISOString();
  const reason = isValid ? "Reconciled" : "ConfigurationError";
  const message = errorSummary.slice(0, LONGEST_MESSAGE);
  return {
    result: isValid ? "Valid" : "Invalid",
    errorSummary,
    conditions: [{ type, status, reason, message, lastTransitionTime }],
  };
}

/** metav1.Condition allows no more. */
const LONGEST_MESSAGE = 32768;
