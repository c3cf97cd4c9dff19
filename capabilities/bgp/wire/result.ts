/**
 * Why bytes were not understood, in the terms in which a speaker tells its peer: the NOTIFICATION
 * to send (code, subcode and data of RFC 4271 section 6), and a sentence for our own log.
 */
export type WireError = {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
  readonly reason: string;
};

/** What every decoder returns; none throws, whatever the bytes are. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

const NO_DATA = new Uint8Array();

/** A failed decoding; `code` and `subcode` are those of the NOTIFICATION that the peer deserves. */
export function refused(
  code: number,
  subcode: number,
  reason: string,
  data: Uint8Array = NO_DATA,
): { readonly ok: false; readonly error: WireError } {
  return { ok: false, error: { code, subcode, data, reason } };
}
