import { formatConfigError } from "../config-error";
import { objectName } from "../raw-object";

/** Resources are read from one namespace; one that is anywhere else would be ignored without a word. */
export function validateNamespace(
  kind: string,
  namespace: string | undefined,
  expected: string,
  raw: unknown,
): readonly string[] {
  if (namespace === expected) return [];
  const error = {
    object: objectName(kind, raw),
    field: "metadata.namespace",
    value: namespace,
    problem: "is not the namespace that Ancho reads its configuration from",
    remedy: `create it in namespace ${expected}`,
  };
  return [formatConfigError(error)];
}
