/** A manifest and what the API server must say to it. Everything is applied as a server dry-run. */
export type CrdCase = {
  readonly name: string;
  readonly manifest: object;
  /** What kubectl's error must say, first of all the field's path; undefined: it is accepted. */
  readonly refusedWith?: RegExp;
  /** Refused by our webhook, because no rule in the CRD can say it. */
  readonly byAdmission?: true;
};

/** The cases of one kind. */
export type KindCases = {
  readonly kind: string;
  readonly resource: string;
  readonly cases: readonly CrdCase[];
};

/** The namespace that configuration is read from. */
export const NAMESPACE = "metallb-system";

type Make = (spec: object, metadata?: object) => object;

/** Makes manifests of a kind from a spec. */
export function maker(
  apiVersion: string,
  kind: string,
  namespace: string | undefined = NAMESPACE,
): Make {
  return (spec, metadata = {}) => ({
    apiVersion,
    kind,
    metadata: { name: "crd-case", ...(namespace ? { namespace } : {}), ...metadata },
    spec,
  });
}

/** A manifest that is accepted. */
export const ok = (name: string, manifest: object): CrdCase => ({ name, manifest });
/** A manifest that the CRD itself refuses. */
export const bad = (name: string, refusedWith: RegExp, manifest: object): CrdCase => ({
  name,
  manifest,
  refusedWith,
});
/** A manifest that only our webhook can refuse. */
export const denied = (name: string, refusedWith: RegExp, manifest: object): CrdCase => ({
  ...bad(name, refusedWith, manifest),
  byAdmission: true,
});

/** A label selector with one condition. */
export const selector = (operator: string, values?: readonly string[]): object => ({
  matchExpressions: [{ key: "rack", operator, ...(values ? { values } : {}) }],
});
