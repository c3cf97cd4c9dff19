import fc from "fast-check";
import { digestLength } from "./authentication";
import type { Authentication, DigestKind } from "./authentication";
import { BFD_STATES } from "./packet";
import type { ControlPacket } from "./packet";

const u8 = fc.integer({ min: 0, max: 0xff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });
const KINDS: readonly DigestKind[] = ["keyedMd5", "meticulousMd5", "keyedSha1", "meticulousSha1"];

export const anyAuthentication: fc.Arbitrary<Authentication> = fc.oneof(
  fc.record({
    kind: fc.constant("password" as const),
    keyId: u8,
    password: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
  fc.constantFrom(...KINDS).chain(kind => {
    const length = digestLength(kind);
    const digest = fc.uint8Array({ minLength: length, maxLength: length });
    return fc.record({ kind: fc.constant(kind), keyId: u8, sequence: u32, digest });
  }),
  fc.record({
    kind: fc.constant("unknown" as const),
    type: fc.oneof(fc.constant(0), fc.integer({ min: 6, max: 255 })),
    data: fc.uint8Array({ maxLength: 40 }),
  }),
);

/** Random valid control packets, for property tests. */
export const anyPacket: fc.Arbitrary<ControlPacket> = fc
  .record(
    {
      diagnostic: fc.integer({ min: 0, max: 31 }),
      state: fc.constantFrom(...BFD_STATES),
      isPoll: fc.boolean(),
      isFinal: fc.boolean(),
      isControlPlaneIndependent: fc.boolean(),
      isDemand: fc.boolean(),
      detectMultiplier: fc.integer({ min: 1, max: 255 }),
      myDiscriminator: positive32,
      yourDiscriminator: u32,
      desiredMinTx: u32,
      requiredMinRx: u32,
      requiredMinEchoRx: u32,
      authentication: anyAuthentication,
    },
    {
      requiredKeys: [
        ...(["diagnostic", "state", "isPoll", "isFinal", "isControlPlaneIndependent"] as const),
        ...(["isDemand", "detectMultiplier", "myDiscriminator", "yourDiscriminator"] as const),
        ...(["desiredMinTx", "requiredMinRx", "requiredMinEchoRx"] as const),
      ],
    },
  )
  .filter(
    ({ yourDiscriminator, state }) => yourDiscriminator !== 0 || !["Init", "Up"].includes(state),
  );
