/** bgp-ts: a speaker that announces prefixes, and the codec of what is said on a BGP connection. */
export type { RouteAttributes } from "./attribute-set";
export type { Bfd, BfdCounts, BfdStatus, BfdWatch } from "./bfd/bfd";
export { createBfd } from "./bfd/engine";
export type { PeerBfd } from "./bfd/guard";
export type { BfdOptions, BfdPath, BfdTimers } from "./bfd/options";
export { startBfd } from "./bfd/thread";
export type { BfdState } from "./bfd/wire/packet";
export type { MessageCounts, Traffic } from "./message-counts";
export type { Session } from "./negotiation";
export type { Received, ReceivedRoute } from "./intake";
export type { SessionChange } from "./session";
export type { Peer, PeerStatus, StopOptions } from "./peer";
export type { PeerOptions } from "./peer-options";
export type { PeerRange, RangeOptions } from "./range";
export { createSpeaker } from "./speaker";
export type { Speaker, SpeakerOptions } from "./speaker";
export { linuxTcp } from "./transport/linux-tcp";
export { plainTcp } from "./transport/plain-tcp";
export type { DialTarget, ListenAddress, SocketOptions, Transport } from "./transport/transport";
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
export {
  describeNotification,
  notificationOf,
  shutdownNotification,
  shutdownText,
} from "./wire/notification";
export type { Notification } from "./wire/notification";
export { asOf, shortAs } from "./wire/open";
export type { Open } from "./wire/open";
export type { Decoded, WireError } from "./wire/result";
export type { RouteRefresh } from "./wire/route-refresh";
export { endOfRibFamily, routesOf } from "./wire/update";
export { startWorker } from "./worker";
export type { Update } from "./wire/update";
