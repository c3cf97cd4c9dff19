/** What is wrong with a resource, in parts, so that admission, status, events and `ancho` can all show it. */
export type ConfigError = {
  /** Kind, namespace and name: "IPAddressPool metallb-system/ip-pool". */
  readonly object: string;
  /** Path of the field, as kubectl writes it: "spec.addresses[0]". */
  readonly field: string;
  /** What the field holds; undefined if it is missing. */
  readonly value: unknown;
  /** What is wrong, to be read after the value. */
  readonly problem: string;
  /** What the author can do, as an instruction. */
  readonly remedy: string;
  /** What is missing may come later: then it is no reason to refuse the object. */
  readonly mayComeLater?: true;
};

const LONGEST_VALUE = 120;

/** A configuration error as one sentence. */
export function formatConfigError(error: ConfigError): string {
  const { object, field, value, problem, remedy } = error;
  const shown = value === undefined ? "" : ` ${short(JSON.stringify(value) ?? typeof value)}`;
  return `${object}: ${field}${shown} ${problem}; ${remedy}.`;
}

/** A result of reading a resource: its value, or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

function short(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
