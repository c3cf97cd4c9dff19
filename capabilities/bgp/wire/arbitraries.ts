import fc from "fast-check";
import type { Capability } from "./capability";
import { CapabilityCode } from "./codes";
import { keepalive } from "./keepalive";
import type { Message } from "./message";
import type { Open } from "./open";

/** Random valid messages, for property tests. */
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });

const knownCodes: readonly number[] = Object.values(CapabilityCode);

export const anyCapability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant("multiprotocol" as const), afi: u16, safi: u8 }),
  fc.constant({ kind: "routeRefresh" as const }),
  fc.record({ kind: fc.constant("fourOctetAs" as const), as: positive32 }),
  fc.record({
    kind: fc.constant("unknown" as const),
    code: u8.filter(code => !knownCodes.includes(code)),
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

const anyBody = fc.uint8Array({ minLength: 4, maxLength: 200 });

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  anyOpen,
  fc.constant(keepalive),
  fc.record({
    type: fc.constant("notification" as const),
    code: u8,
    subcode: u8,
    data: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ type: fc.constantFrom("update" as const, "routeRefresh" as const), body: anyBody }),
);
