import type { z } from "zod";
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
  readonly isPassive: boolean;
};

/** By name; undefined: it exists and cannot be used. */
export type BfdProfiles = ReadonlyMap<string, BfdProfile | undefined>;

/** Reads BFDProfiles, the oldest first. */
export function readBfdProfiles(raws: readonly unknown[]): {
  readonly profiles: BfdProfiles;
  readonly errors: readonly ConfigError[];
} {
  const profiles = new Map<string, BfdProfile | undefined>();
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
    profiles.set(name, spec.echoMode ? undefined : profileFrom(spec));
    if (spec.echoMode) errors.push({ object, ...ECHO });
  }
  return { profiles, errors };
}

function profileFrom(spec: Spec): BfdProfile {
  const { passiveMode = false } = spec;
  const numbers = NUMBERS.flatMap(name => {
    const value = spec[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(numbers), isPassive: passiveMode };
}

type Spec = z.infer<typeof bfdProfileSchema>["spec"];

const NUMBERS = [
  ...(["transmitInterval", "receiveInterval", "detectMultiplier", "minimumTtl"] as const),
];

const ECHO = {
  field: "spec.echoMode",
  value: true,
  problem: "is not supported yet",
  remedy: "remove it, and give control packets the interval that echo packets should have",
} as const;
