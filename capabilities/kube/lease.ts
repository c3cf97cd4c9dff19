/** A Lease as the API has it (coordination.k8s.io/v1), as far as an election needs it. */
export type Lease = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly namespace?: string;
    readonly name?: string;
    readonly resourceVersion?: string;
  };
  readonly spec?: LeaseSpec;
};

export type LeaseSpec = {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** RFC 3339 with microseconds. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
};

/** The version of the Lease that was seen last, and since when, by our own clock. */
export type Sighting = { readonly version: string; readonly sinceMs: number };

export type LeaseStep =
  /** Nobody made it yet. */
  | { readonly do: "create" }
  /** It is ours: say that we are alive. */
  | { readonly do: "renew" }
  /** It was given up, or its holder has not renewed it for its whole duration. */
  | { readonly do: "take" }
  /** Somebody else holds it. */
  | { readonly do: "wait" };

/**
 * Remembers when this version of the Lease was first seen. A holder counts as dead when the Lease has
 * not changed for its duration *on our clock*: the times in it are another machine's (client-go's
 * leaderelection does the same).
 */
export function sight(
  last: Sighting | undefined,
  lease: Lease | undefined,
  nowMs: number,
): Sighting | undefined {
  const version = lease?.metadata.resourceVersion;
  if (version === undefined) return undefined;
  return last?.version === version ? last : { version, sinceMs: nowMs };
}

/** What to do about the Lease now. A write that follows is a compare-and-swap on its version. */
export function nextLeaseStep(
  lease: Lease | undefined,
  seen: Sighting | undefined,
  me: string,
  nowMs: number,
): LeaseStep {
  if (!lease || !seen) return { do: "create" };
  const { holderIdentity = "", leaseDurationSeconds = 0 } = lease.spec ?? {};
  if (holderIdentity === me) return { do: "renew" };
  if (holderIdentity === "") return { do: "take" };
  return { do: nowMs - seen.sinceMs >= leaseDurationSeconds * 1000 ? "take" : "wait" };
}

/** The spec to write when the Lease is made, taken or renewed. */
export function leaseSpec(
  before: LeaseSpec | undefined,
  me: string,
  durationSeconds: number,
  nowMs: number,
): LeaseSpec {
  const now = microTime(nowMs);
  const isMine = before?.holderIdentity === me;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    holderIdentity: me,
    leaseDurationSeconds: durationSeconds,
    acquireTime: (isMine ? before.acquireTime : undefined) ?? now,
    renewTime: now,
    leaseTransitions: isMine || !before ? transitions : transitions + 1,
  };
}

/** Kubernetes' MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
