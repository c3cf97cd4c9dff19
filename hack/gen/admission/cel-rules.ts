import { buildCrds } from "../../../capabilities/config/crd";
import type { CelRule } from "../../../capabilities/config/kinds/resource";

/** A rule that the API server checks by itself, also while no webhook answers. */
export type StoredRule = {
  readonly kind: string;
  readonly version: string;
  /** Path of the field, `[]` for the elements of a list; empty: the object. */
  readonly field: string;
  readonly message: string;
};

type Node = {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
};

/** All rules of the CRDs, in their order. */
export function celRules(): readonly StoredRule[] {
  return buildCrds().flatMap(({ spec }) =>
    spec.versions.flatMap(({ name, schema }) => {
      const root = schema?.openAPIV3Schema as Node | undefined;
      if (!root) return [];
      return rulesIn(root, "").map(({ field, message }) => ({
        ...{ kind: spec.names.kind, version: name, field, message },
      }));
    }),
  );
}

function rulesIn(node: Node, field: string): readonly { field: string; message: string }[] {
  const own = (node["x-kubernetes-validations"] ?? []).map(({ message }) => ({ field, message }));
  const below = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    rulesIn(child, field === "" ? name : `${field}.${name}`),
  );
  return [...own, ...below, ...(node.items ? rulesIn(node.items, `${field}[]`) : [])];
}
