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

/** RFC 4271 section 6.3, as far as RFC 7606 still lets an error end the session. */
export const UpdateError = {
  MalformedAttributes: 1,
  UnrecognizedWellKnown: 2,
  OptionalAttribute: 9,
  InvalidNetworkField: 10,
} as const;

/** RFC 6608: the message came in a state that does not expect it. */
export const FsmError = {
  Unspecific: 0,
  InOpenSent: 1,
  InOpenConfirm: 2,
  InEstablished: 3,
} as const;

/** RFC 7313 section 5. */
export const RouteRefreshError = { InvalidLength: 1 } as const;

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
export const CapabilityCode = {
  Multiprotocol: 1,
  RouteRefresh: 2,
  ExtendedNextHop: 5,
  ExtendedMessage: 6,
  Role: 9,
  GracefulRestart: 64,
  FourOctetAs: 65,
  AddPath: 69,
  EnhancedRouteRefresh: 70,
  LongLivedGracefulRestart: 71,
} as const;

/** What the sender of capability 9 is to the other side (RFC 9234 section 4.1). */
export const Role = {
  Provider: 0,
  RouteServer: 1,
  RouteServerClient: 2,
  Customer: 3,
  Peer: 4,
} as const;

/** Path attributes: RFC 4271 section 5 and those that it names in `wire/attributes/`. */
export const AttributeCode = {
  Origin: 1,
  AsPath: 2,
  NextHop: 3,
  Med: 4,
  LocalPref: 5,
  AtomicAggregate: 6,
  Aggregator: 7,
  Communities: 8,
  OriginatorId: 9,
  ClusterList: 10,
  MpReach: 14,
  MpUnreach: 15,
  ExtendedCommunities: 16,
  As4Path: 17,
  As4Aggregator: 18,
  LargeCommunities: 32,
  OnlyToCustomer: 35,
} as const;

/** Attribute flags (RFC 4271 section 4.3); the four lower bits are ignored. */
export const AttributeFlag = {
  Optional: 0x80,
  Transitive: 0x40,
  Partial: 0x20,
  ExtendedLength: 0x10,
} as const;

/** Address families (IANA address-family-numbers) and the one SAFI that is routed here. */
export const Afi = { Ipv4: 1, Ipv6: 2 } as const;
export const SAFI_UNICAST = 1;

/** Stands for an AS number that does not fit into 16 bits (RFC 6793). */
export const AS_TRANS = 23456;
