import type { CodecContext } from "./attributes/codec";
import { concat, u16, u8 } from "./bytes";
import { ErrorCode, HeaderError, MessageType } from "./codes";
import { keepalive } from "./keepalive";
import type { Keepalive } from "./keepalive";
import { decodeNotification, encodeNotification } from "./notification";
import type { Notification } from "./notification";
import { decodeOpen, encodeOpen } from "./open";
import type { Open } from "./open";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";
import { decodeRouteRefresh, encodeRouteRefresh } from "./route-refresh";
import type { RouteRefresh } from "./route-refresh";
import { decodeUpdate, encodeUpdate } from "./update";
import type { Update } from "./update";

export type Message = Open | Notification | Keepalive | Update | RouteRefresh;

/** One message cut out of a stream of bytes. */
export type Frame = { readonly type: number; readonly body: Uint8Array };

export const HEADER_LENGTH = 19;
export const MAX_LENGTH = 4096;
/** With extended messages (RFC 8654). */
export const LONGEST_EXTENDED = 65_535;
const MARKER_LENGTH = 16;

/** Shortest message of each type, header included (RFC 4271 section 6.1; RFC 2918). */
const MIN_LENGTH: ReadonlyMap<number, number> = new Map([
  [MessageType.Open, 29],
  [MessageType.Update, 23],
  [MessageType.Notification, 21],
  [MessageType.Keepalive, 19],
  [MessageType.RouteRefresh, 23],
]);

/**
 * Cuts the first message off a stream of bytes. The value is undefined while too few have come; the
 * next message begins `HEADER_LENGTH + body.length` octets further. Errors are those of RFC 4271
 * section 6.1, and then the stream is worth nothing any more.
 *
 * @param maxLength - 65535 once both sides have agreed on extended messages (RFC 8654)
 */
export function readFrame(bytes: Uint8Array, maxLength = MAX_LENGTH): Decoded<Frame | undefined> {
  if (bytes.subarray(0, MARKER_LENGTH).some(octet => octet !== 0xff)) {
    return headerError(HeaderError.NotSynchronized, "the marker is not all ones");
  }
  const [high, low, type] = bytes.subarray(MARKER_LENGTH, HEADER_LENGTH);
  if (high === undefined || low === undefined || type === undefined) {
    return decoded(undefined);
  }
  const length = high * 256 + low;
  const problem = checkHeader(type, length, maxLength);
  if (problem !== undefined) {
    return problem;
  }
  if (bytes.length < length) return decoded(undefined);
  // Not slice: of a Buffer that would be no copy, and keep all of what was received.
  return decoded({ type, body: new Uint8Array(bytes.subarray(HEADER_LENGTH, length)) });
}

function checkHeader(type: number, length: number, maxLength: number): Decoded<never> | undefined {
  const minLength = MIN_LENGTH.get(type);
  if (minLength === undefined) {
    return headerError(HeaderError.BadType, `message type ${type} is not known`, u8(type));
  }
  // RFC 8654 section 4: OPEN and KEEPALIVE stay as short as they were.
  const most = type === MessageType.Open ? MAX_LENGTH : maxLength;
  const longest = type === MessageType.Keepalive ? minLength : most;
  if (length < minLength || length > longest) {
    const reason = `${length} is no length of a message of type ${type}`;
    return headerError(HeaderError.BadLength, reason, u16(length));
  }
  return undefined;
}

/** Before the OPENs have said otherwise, an UPDATE would be read like this. */
const DEFAULT_CONTEXT: CodecContext = { fourOctetAs: true, isInternal: false };

/** Decodes what `readFrame` cut out. */
export function decodeMessage(
  { type, body }: Frame,
  context: CodecContext = DEFAULT_CONTEXT,
): Decoded<Message> {
  switch (type) {
    case MessageType.Open:
      return decodeOpen(body);
    case MessageType.Notification:
      return decoded(decodeNotification(body));
    case MessageType.Keepalive:
      return decoded(keepalive);
    case MessageType.Update:
      return decodeUpdate(body, context);
    case MessageType.RouteRefresh:
      return decodeRouteRefresh(body);
    default:
      return headerError(HeaderError.BadType, `message type ${type} is not known`, u8(type & 255));
  }
}

/**
 * Encodes a whole message with its header: equal messages give equal bytes. Throws RangeError for a
 * number that does not fit its field, or a message longer than 4096 octets.
 */
export function encodeMessage(
  message: Message,
  context: CodecContext = DEFAULT_CONTEXT,
): Uint8Array {
  const { type, body } = frameOf(message, context);
  const length = HEADER_LENGTH + body.length;
  if (length > MAX_LENGTH) {
    throw new RangeError(`${message.type}: ${length} octets are more than ${MAX_LENGTH}`);
  }
  return concat(header(type, length), body);
}

/** The header of a message of this type; the length counts the header too. */
export function header(type: number, length: number): Uint8Array {
  return concat(new Uint8Array(MARKER_LENGTH).fill(0xff), u16(length), u8(type));
}

function frameOf(message: Message, context: CodecContext): Frame {
  switch (message.type) {
    case "open":
      return { type: MessageType.Open, body: encodeOpen(message) };
    case "notification":
      return { type: MessageType.Notification, body: encodeNotification(message) };
    case "keepalive":
      return { type: MessageType.Keepalive, body: new Uint8Array() };
    case "update":
      return { type: MessageType.Update, body: encodeUpdate(message, context) };
    case "routeRefresh":
      return { type: MessageType.RouteRefresh, body: encodeRouteRefresh(message) };
  }
}

function headerError(subcode: number, reason: string, data?: Uint8Array): Decoded<never> {
  return refused(ErrorCode.MessageHeader, subcode, reason, data);
}
