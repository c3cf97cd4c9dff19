/**
 * bgp-ts: what can be said on a BGP connection. Sessions, timers and routes are to come; see
 * README.md for where they go.
 */
export type { Family } from "./wire/address";
export type { PathAttributes } from "./wire/attribute";
export type { Fault } from "./wire/attribute-decoder";
export { linkBandwidth } from "./wire/attributes/communities";
export { AS_TRANS, CapabilityCode, Cease, ErrorCode, MessageType } from "./wire/codes";
export type { Capability } from "./wire/capability";
export { keepalive } from "./wire/keepalive";
export type { Keepalive } from "./wire/keepalive";
export { decodeMessage, encodeMessage, HEADER_LENGTH, MAX_LENGTH, readFrame } from "./wire/message";
export type { Frame, Message } from "./wire/message";
export { describeNotification, shutdownNotification, shutdownText } from "./wire/notification";
export type { Notification } from "./wire/notification";
export { asOf, shortAs } from "./wire/open";
export type { Open } from "./wire/open";
export type { Decoded, WireError } from "./wire/result";
export type { RouteRefresh } from "./wire/route-refresh";
export { endOfRibFamily, routesOf } from "./wire/update";
export type { Update } from "./wire/update";
