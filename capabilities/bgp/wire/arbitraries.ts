import fc from "fast-check";
import { formatAddress } from "./address";
import type { Family } from "./address";
import type { PathAttributes } from "./attribute";
import type { AsPath } from "./attributes/as-path";
import type { CodecContext } from "./attributes/codec";
import type { Reach } from "./attributes/multiprotocol";
import type { Capability } from "./capability";
import { AttributeCode, AttributeFlag, CapabilityCode } from "./codes";
import { toHex } from "./hex";
import { keepalive } from "./keepalive";
import type { Message } from "./message";
import type { Open } from "./open";
import { parsePrefix } from "./prefix";
import type { Update } from "./update";

/** Random valid messages, for property tests. */
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });

const knownCapabilities: readonly number[] = Object.values(CapabilityCode);
const afiSafi = { afi: u16, safi: u8 };

export const anyCapability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant("multiprotocol" as const), ...afiSafi }),
  fc.constantFrom(
    { kind: "routeRefresh" as const },
    { kind: "extendedMessage" as const },
    { kind: "enhancedRouteRefresh" as const },
  ),
  fc.record({
    kind: fc.constant("extendedNextHop" as const),
    families: fc.array(fc.record({ afi: u16, safi: u16, nextHopAfi: u16 }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("role" as const), role: u8 }),
  fc.record({
    kind: fc.constant("gracefulRestart" as const),
    isRestarting: fc.boolean(),
    hasNotification: fc.boolean(),
    restartTime: fc.integer({ min: 0, max: 4_095 }),
    families: fc.array(fc.record({ ...afiSafi, isForwarding: fc.boolean() }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("fourOctetAs" as const), as: positive32 }),
  fc.record({
    kind: fc.constant("addPath" as const),
    families: fc.array(fc.record({ ...afiSafi, mode: u8 }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("longLivedGracefulRestart" as const),
    families: fc.array(
      fc.record({
        ...afiSafi,
        isForwarding: fc.boolean(),
        staleTime: fc.integer({ min: 0, max: 0xff_ffff }),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    kind: fc.constant("unknown" as const),
    code: u8.filter(code => !knownCapabilities.includes(code)),
    data: fc.uint8Array({ maxLength: 255 }),
  }),
);

export const anyOpen: fc.Arbitrary<Open> = fc.record({
  type: fc.constant("open" as const),
  myAs: fc.integer({ min: 1, max: 0xffff }),
  holdTime: u16.filter(seconds => seconds !== 1 && seconds !== 2),
  identifier: positive32,
  capabilities: fc.array(anyCapability, { maxLength: 8 }),
});

/** Octets of an address, with zeros as often as addresses have them. */
function octets(length: number): fc.Arbitrary<Uint8Array> {
  const octet = fc.oneof(fc.constant(0), u8);
  return fc
    .array(octet, { minLength: length, maxLength: length })
    .map(values => Uint8Array.from(values));
}

export const anyIpv4 = octets(4).map(formatAddress);
export const anyIpv6 = octets(16).map(formatAddress);

export function anyPrefix(family: Family): fc.Arbitrary<string> {
  const [address, width] = family === "ipv4" ? [anyIpv4, 32] : [anyIpv6, 128];
  return fc
    .tuple(address, fc.integer({ min: 0, max: width }))
    .map(([host, length]) => parsePrefix(`${host}/${length}`)?.text ?? "");
}

function prefixes(family: Family): fc.Arbitrary<string[]> {
  return fc.array(anyPrefix(family), { maxLength: 6 });
}

const anyAsPath: fc.Arbitrary<AsPath> = fc.array(
  fc.record({
    kind: fc.constantFrom("sequence" as const, "set" as const),
    ases: fc.array(fc.oneof(positive32, fc.integer({ min: 1, max: 0xffff })), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  { maxLength: 3 },
);

const anyReach: fc.Arbitrary<Reach> = fc.oneof(
  fc.record({
    family: fc.constant("ipv4" as const),
    nextHop: fc.oneof(anyIpv4, anyIpv6),
    prefixes: prefixes("ipv4"),
  }),
  fc.record(
    {
      family: fc.constant("ipv6" as const),
      nextHop: anyIpv6,
      linkLocal: anyIpv6,
      prefixes: prefixes("ipv6"),
    },
    { requiredKeys: ["family", "nextHop", "prefixes"] },
  ) as fc.Arbitrary<Reach>,
);

const otherFamily = fc.record({
  afi: fc.integer({ min: 3, max: 0xffff }),
  safi: u8,
  data: fc.uint8Array({ maxLength: 40 }),
});

function list(item: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.array(item, { minLength: 1, maxLength: 70 });
}

const knownAttributes: readonly number[] = Object.values(AttributeCode);

const anyUnknown = fc
  .uniqueArray(
    u8.filter(code => !knownAttributes.includes(code)),
    { minLength: 1, maxLength: 3 },
  )
  .chain(codes =>
    fc.tuple(
      ...codes
        .sort((a, b) => a - b)
        .map(code =>
          fc.record({
            code: fc.constant(code),
            flags: fc.constantFrom(
              AttributeFlag.Optional,
              AttributeFlag.Optional | AttributeFlag.Transitive,
              AttributeFlag.Optional | AttributeFlag.Transitive | AttributeFlag.Partial,
            ),
            data: fc.uint8Array({ maxLength: 300 }),
          }),
        ),
    ),
  );

/** Everything that such a peer may send. */
export function anyUpdate({ isInternal }: CodecContext): fc.Arbitrary<Update> {
  const mandatory = {
    origin: fc.constantFrom("igp" as const, "egp" as const, "incomplete" as const),
    asPath: anyAsPath,
    nextHop: anyIpv4,
  };
  const internal = isInternal
    ? { localPref: u32, originatorId: anyIpv4, clusterList: list(anyIpv4) }
    : {};
  const others = {
    med: u32,
    atomicAggregate: fc.constant(true as const),
    aggregator: fc.record({ as: positive32, address: anyIpv4 }),
    communities: list(fc.tuple(u16, u16).map(parts => parts.join(":"))),
    reach: fc.oneof(anyReach, otherFamily),
    unreach: fc.oneof(
      fc.record({ family: fc.constant("ipv6" as const), prefixes: prefixes("ipv6") }),
      otherFamily,
    ),
    extendedCommunities: list(octets(8).map(toHex)),
    largeCommunities: list(fc.tuple(u32, u32, u32).map(parts => parts.join(":"))),
    onlyToCustomer: u32,
    unknown: anyUnknown,
    ...internal,
  };
  return fc.record({
    type: fc.constant("update" as const),
    withdrawn: prefixes("ipv4"),
    attributes: fc.record(
      { ...mandatory, ...others },
      { requiredKeys: ["origin", "asPath", "nextHop"] },
    ) as fc.Arbitrary<PathAttributes>,
    announced: prefixes("ipv4"),
    faults: fc.constant([]),
  });
}

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  anyOpen,
  fc.constant(keepalive),
  fc.record({
    type: fc.constant("notification" as const),
    code: u8,
    subcode: u8,
    data: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ type: fc.constant("routeRefresh" as const), afi: u16, safi: u8, subtype: u8 }),
  anyUpdate({ fourOctetAs: true, isInternal: false }),
);
