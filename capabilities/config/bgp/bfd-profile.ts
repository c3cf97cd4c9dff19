import type * as z from "zod";
import type { ConfigError } from "../config-error";
import { bfdProfileResource } from "../kinds/bfd-profile";
import type { bfdProfileSchema } from "../kinds/bfd-profile";
import { duplicateName, objectName } from "../raw-object";
import { parseBfdProfile } from "../validators/bgp";

/** How BFD watches the sessions of a peer; what is not said is for BFD to choose. Intervals are milliseconds. */
export type BfdProfile = {
  readonly transmitInterval?: number;
  readonly receiveInterval?: number;
  readonly detectMultiplier?: number;
  readonly minimumTtl?: number;
  /** Of echo packets that are sent, and of those that the router may send. Absent: there are none. */
  readonly echoTransmitInterval?: number;
  readonly echoReceiveInterval?: number;
  readonly isPassive: boolean;
};

/** By name. */
export type BfdProfiles = ReadonlyMap<string, BfdProfile>;

/** Reads BFDProfiles, the oldest first. */
export function readBfdProfiles(raws: readonly unknown[]): {
  readonly profiles: BfdProfiles;
  readonly errors: readonly ConfigError[];
} {
  const profiles = new Map<string, BfdProfile>();
  const errors: ConfigError[] = [];
  for (const raw of raws) {
    const object = objectName(bfdProfileResource.kind, raw);
    const read = parseBfdProfile(raw);
    if (!read.ok) {
      errors.push(...read.errors);
      continue;
    }
    const { metadata, spec } = read.value;
    const name = metadata.name ?? "";
    if (profiles.has(name)) {
      errors.push(duplicateName(object, name));
      continue;
    }
    profiles.set(name, profileFrom(spec));
  }
  return { profiles, errors };
}

function profileFrom(spec: Spec): BfdProfile {
  const { passiveMode = false } = spec;
  const numbers = NUMBERS.flatMap(name => {
    const value = spec[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(numbers), ...echoOf(spec), isPassive: passiveMode };
}

/** FRR's, in milliseconds. */
const ECHO_INTERVAL = 50;

/**
 * An interval alone is what we accept; FRR accepts echo packets without it, too, which not every node could loop, since
 * that is for its kernel to do.
 */
function echoOf({ echoMode = false, echoInterval }: Spec): Partial<BfdProfile> {
  if (!echoMode && echoInterval === undefined) return {};
  const interval = echoInterval ?? ECHO_INTERVAL;
  return {
    echoReceiveInterval: interval,
    ...(echoMode && { echoTransmitInterval: interval }),
  };
}

type Spec = z.infer<typeof bfdProfileSchema>["spec"];

const NUMBERS = [
  ...(["transmitInterval", "receiveInterval", "detectMultiplier", "minimumTtl"] as const),
];
