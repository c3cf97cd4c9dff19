/**
 * bgp-ts: what can be said on a BGP connection. Sessions, timers and routes are to come; see
 * README.md for where they go.
 */
export { AS_TRANS, CapabilityCode, Cease, ErrorCode, MessageType } from "./wire/codes";
export type { Capability } from "./wire/capability";
export { keepalive } from "./wire/keepalive";
export type { Keepalive } from "./wire/keepalive";
export { decodeMessage, encodeMessage, HEADER_LENGTH, MAX_LENGTH, readFrame } from "./wire/message";
export type { Frame, Message, Opaque } from "./wire/message";
export { describeNotification, shutdownNotification, shutdownText } from "./wire/notification";
export type { Notification } from "./wire/notification";
export { asOf, shortAs } from "./wire/open";
export type { Open } from "./wire/open";
export type { Decoded, WireError } from "./wire/result";
