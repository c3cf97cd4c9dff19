import { AttributeFlag } from "../codes";

/** What of the session changes how an UPDATE is written and read. */
export type CodecContext = {
  /** Both sides have sent capability 65, so AS numbers have four octets (RFC 6793). */
  readonly fourOctetAs: boolean;
  /** The peer is in our own AS. */
  readonly isInternal: boolean;
};

/** What is to be done about an attribute that is malformed (RFC 7606 section 2). */
export type FaultAction = "treatAsWithdraw" | "attributeDiscard";

/** How one path attribute is written and read. */
export type AttributeCodec<V> = {
  readonly code: number;
  /** What the Optional and Transitive flags must be. */
  readonly flags: number;
  readonly onError: FaultAction;
  /** From another AS it is discarded unread (RFC 7606 sections 7.5, 7.9, 7.10). */
  readonly isInternalOnly?: true;
  /** Undefined if the octets are malformed. */
  decode(data: Uint8Array, context: CodecContext): V | undefined;
  /** Throws RangeError for what does not fit its field: only our own values come here. */
  encode(value: V, context: CodecContext): Uint8Array;
};

export const WELL_KNOWN = AttributeFlag.Transitive;
export const OPTIONAL = AttributeFlag.Optional;
export const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;
