/** The operators of a label selector's requirement (k8s.io/apimachinery metav1.LabelSelectorOperator). */
export const SELECTOR_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** One condition on one label. */
export type SelectorRequirement = {
  readonly key: string;
  readonly operator: (typeof SELECTOR_OPERATORS)[number];
  readonly values?: readonly string[] | undefined;
};

/** A metav1.LabelSelector: all conditions must hold; one without conditions matches everything. */
export type LabelSelector = {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly SelectorRequirement[] | undefined;
};

type Labels = Readonly<Record<string, string>> | undefined;

/** Does the object with these labels match? NotIn holds for an object that lacks the label, as in Kubernetes. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  return (
    wanted.every(([key, value]) => labelOf(labels, key) === value) &&
    (selector.matchExpressions ?? []).every(requirement => holds(requirement, labels))
  );
}

/** Does one of the selectors match? MetalLB's lists of selectors are an OR, and an empty one means "all". */
export function matchesAny(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.length === 0 || selectors.some(selector => matchesSelector(selector, labels));
}

function holds({ key, operator, values = [] }: SelectorRequirement, labels: Labels): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

// "constructor" is a valid label key, and a property that every object inherits.
function labelOf(labels: Labels, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
