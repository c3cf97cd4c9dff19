/** Numbers of RFC 4271 and its successors, as registered by IANA (bgp-parameters). */

/** RFC 4271 section 4.1; RouteRefresh: RFC 2918. */
export const MessageType = {
  Open: 1,
  Update: 2,
  Notification: 3,
  Keepalive: 4,
  RouteRefresh: 5,
} as const;

/** RFC 4271 section 4.5; RouteRefresh: RFC 7313; SendHoldTimerExpired: RFC 9687. */
export const ErrorCode = {
  MessageHeader: 1,
  OpenMessage: 2,
  UpdateMessage: 3,
  HoldTimerExpired: 4,
  FiniteStateMachine: 5,
  Cease: 6,
  RouteRefresh: 7,
  SendHoldTimerExpired: 8,
} as const;

/** RFC 4271 section 6.1. */
export const HeaderError = { NotSynchronized: 1, BadLength: 2, BadType: 3 } as const;

/** RFC 4271 section 6.2; UnsupportedCapability: RFC 5492; RoleMismatch: RFC 9234. */
export const OpenError = {
  Unspecific: 0,
  UnsupportedVersion: 1,
  BadPeerAs: 2,
  BadIdentifier: 3,
  UnsupportedParameter: 4,
  UnacceptableHoldTime: 6,
  UnsupportedCapability: 7,
  RoleMismatch: 11,
} as const;

/** RFC 4486; HardReset: RFC 8538; BfdDown: RFC 9384. */
export const Cease = {
  MaximumPrefixes: 1,
  AdministrativeShutdown: 2,
  PeerDeconfigured: 3,
  AdministrativeReset: 4,
  ConnectionRejected: 5,
  ConfigurationChange: 6,
  ConnectionCollision: 7,
  OutOfResources: 8,
  HardReset: 9,
  BfdDown: 10,
} as const;

/** RFC 5492; names of the capabilities that this codec understands. */
export const CapabilityCode = { Multiprotocol: 1, RouteRefresh: 2, FourOctetAs: 65 } as const;

/** Stands for an AS number that does not fit into 16 bits (RFC 6793). */
export const AS_TRANS = 23456;
