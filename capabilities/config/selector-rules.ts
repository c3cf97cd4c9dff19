import type { LabelSelector, SelectorRequirement } from "./selector";

/** A rule that a part of a resource breaks; `field` is the path inside that resource. */
export type Finding = {
  readonly field: string;
  readonly value: unknown;
  readonly problem: string;
  readonly remedy: string;
  /** What is missing may come later: then it is no reason to refuse the object. */
  readonly mayComeLater?: true;
};

// k8s.io/apimachinery/pkg/util/validation: IsQualifiedName and IsValidLabelValue.
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
const DNS_PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with a list of selectors: each selector in itself, and selectors that are in it twice. */
export function selectorFindings(
  selectors: readonly LabelSelector[] | undefined = [],
  field: string,
): readonly Finding[] {
  return [
    ...selectors.flatMap((selector, i) => inSelector(selector, `${field}[${i}]`)),
    ...duplicates(selectors, field, canonicalSelector),
  ];
}

/** What is wrong with one selector that stands alone. */
export function inSelector(selector: LabelSelector, field: string): readonly Finding[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return [
    ...Object.entries(matchLabels).flatMap(([key, value]) => [
      ...inKey(key, `${field}.matchLabels`),
      ...inValue(value, `${field}.matchLabels.${key}`),
    ]),
    ...matchExpressions.flatMap((one, i) => inRequirement(one, `${field}.matchExpressions[${i}]`)),
    ...duplicates(matchExpressions, `${field}.matchExpressions`, canonicalRequirement),
  ];
}

/** Elements that are in a list a second time; `key` tells which ones are equal. */
export function duplicates<T>(
  list: readonly T[] | undefined = [],
  field: string,
  key: (one: T) => string,
): readonly Finding[] {
  const seen = new Map<string, number>();
  return list.flatMap((one, i) => {
    const first = seen.get(key(one));
    if (first === undefined) {
      seen.set(key(one), i);
      return [];
    }
    const problem = `repeats ${field}[${first}]`;
    return [{ field: `${field}[${i}]`, value: one, problem, remedy: "remove one of them" }];
  });
}

function inRequirement(requirement: SelectorRequirement, field: string): readonly Finding[] {
  const { key, operator, values = [] } = requirement;
  const takesValues = operator === "In" || operator === "NotIn";
  const number: Finding[] = [];
  if (takesValues && values.length === 0)
    number.push({
      field: `${field}.values`,
      value: requirement.values,
      problem: `is empty, but the operator ${operator} compares with values`,
      remedy: "list the values, or use Exists or DoesNotExist",
    });
  if (!takesValues && values.length > 0)
    number.push({
      field: `${field}.values`,
      value: values,
      problem: `is given, but the operator ${operator} takes no values`,
      remedy: "remove the values, or use In or NotIn",
    });
  return [
    ...inKey(key, `${field}.key`),
    ...number,
    ...values.flatMap((value, i) => inValue(value, `${field}.values[${i}]`)),
    ...duplicates(values, `${field}.values`, value => value),
  ];
}

function inKey(key: string, field: string): readonly Finding[] {
  const slash = key.indexOf("/");
  const prefix = key.slice(0, Math.max(slash, 0));
  const valid =
    NAME.test(key.slice(slash + 1)) &&
    (slash === -1 || (prefix.length <= 253 && DNS_PREFIX.test(prefix)));
  if (valid) return [];
  const remedy =
    "write a name of at most 63 letters, digits, '-', '_' and '.', after an optional DNS prefix and '/'";
  return [{ field, value: key, problem: "is not a label key", remedy }];
}

function inValue(value: string, field: string): readonly Finding[] {
  if (value === "" || NAME.test(value)) return [];
  const remedy =
    "write at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
  return [{ field, value, problem: "is not a label value", remedy }];
}

function canonicalSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([labels, matchExpressions.map(canonicalRequirement)]);
}

function canonicalRequirement({ key, operator, values = [] }: SelectorRequirement): string {
  return JSON.stringify([key, operator, [...values].sort()]);
}
