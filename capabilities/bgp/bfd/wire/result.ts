/** What decoders of BFD return: a packet that is not understood is discarded, and nobody is told. */
export type BfdDecoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export function accepted<T>(value: T): BfdDecoded<T> {
  return { ok: true, value };
}

export function discarded(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
