import type { BGPPeer } from "../kinds/bgp-peer";
import type { Finding } from "../selector-rules";

/** Milliseconds of Go's units of time, except those below one. */
const UNITS: Readonly<Record<string, number>> = {
  ...{ h: 3_600_000, m: 60_000, s: 1_000, ms: 1 },
  ...{ us: 1e-3, µs: 1e-3, μs: 1e-3, ns: 1e-6 },
};

/** RFC 4271 section 4.2. */
const SHORTEST_HOLD_MS = 3_000;

/**
 * The rules that join a peer's fields. The API server checks them by CEL, too; a peer of the ConfigMap has
 * never been there.
 */
export function peerFindings(spec: BGPPeer["spec"]): readonly Finding[] {
  return [...asnFindings(spec), ...placeFindings(spec), ...timerFindings(spec), ...secrets(spec)];
}

function asnFindings(spec: BGPPeer["spec"]): readonly Finding[] {
  const { myASN, peerASN, dynamicASN, ebgpMultiHop } = spec;
  const findings: Finding[] = [];
  if (myASN === 0) {
    const remedy = "write the AS number of the nodes";
    findings.push({ field: "spec.myASN", value: myASN, problem: "is no AS number", remedy });
  }
  if (Boolean(peerASN) === Boolean(dynamicASN)) {
    const problem = peerASN ? "is given beside dynamicASN" : "is missing";
    const remedy = peerASN ? "remove one of them" : "write the router's AS number";
    findings.push({ field: "spec.peerASN", value: peerASN, problem, remedy });
  }
  if (ebgpMultiHop && peerASN === myASN) {
    findings.push({
      field: "spec.ebgpMultiHop",
      value: true,
      problem: "is for a router of another AS, but the two AS numbers are equal",
      remedy: "remove it, or correct the AS numbers",
    });
  }
  return findings;
}

function placeFindings(spec: BGPPeer["spec"]): readonly Finding[] {
  const { peerAddress, interface: link } = spec;
  if (Boolean(peerAddress) !== Boolean(link)) return [];
  const problem = peerAddress ? "is given beside interface" : "is missing";
  const remedy = peerAddress ? "remove one of them" : "write the router's address";
  return [{ field: "spec.peerAddress", value: peerAddress, problem, remedy }];
}

function timerFindings({ holdTime, keepaliveTime }: BGPPeer["spec"]): readonly Finding[] {
  const hold = milliseconds(holdTime);
  const keepalive = milliseconds(keepaliveTime);
  const findings: Finding[] = [];
  if (hold !== undefined && hold > 0 && hold < SHORTEST_HOLD_MS) {
    const remedy = "write 0s or at least 3s";
    findings.push({ field: "spec.holdTime", value: holdTime, problem: "is too short", remedy });
  }
  if (hold !== undefined && keepalive !== undefined && keepalive > hold) {
    findings.push({
      field: "spec.keepaliveTime",
      value: keepaliveTime,
      problem: `is longer than the hold time ${holdTime ?? ""}`,
      remedy: "write a third of the hold time",
    });
  }
  return findings;
}

function secrets({ password, passwordSecret }: BGPPeer["spec"]): readonly Finding[] {
  if (!password || !passwordSecret?.name) return [];
  const problem = "is given beside passwordSecret";
  return [{ field: "spec.password", value: undefined, problem, remedy: "remove one of them" }];
}

/** A Go duration, whose form the schema has checked; undefined: there is none. */
export function milliseconds(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const parts = [...duration.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|\u03bcs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, value, unit = ""]) => sum + Number(value) * (UNITS[unit] ?? 0), 0);
}
