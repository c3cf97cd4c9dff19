import type { Family } from "../address";
import { parseAddress } from "../address";
import type { Parsed } from "../config-error";
import { bgpPeerResource } from "../kinds/bgp-peer";
import type { BGPPeer } from "../kinds/bgp-peer";
import type { BfdProfile, BfdProfiles } from "./bfd-profile";
import { passwordOf } from "./password";
import { nameFindings } from "../pool";
import { objectName } from "../raw-object";
import type { LabelSelector } from "../selector";
import type { Finding } from "../selector-rules";
import { milliseconds } from "../validators/bgp-peer-rules";
import { parseBgpPeer } from "../validators/bgp";

/** A router that nodes hold a BGP session with. */
export type BgpPeer = {
  readonly name: string;
  /** AS number of this end. */
  readonly myAsn: number;
  /** Shown to this router in place of `myAsn`. */
  readonly localAsn?: number;
  /** AS number of the router, or whether it is our own. */
  readonly peerAsn: number | "internal" | "external";
  /** Empty where the router is found on an interface. */
  readonly address: string;
  /** The router is the one that advertises itself there (unnumbered). */
  readonly interface?: string;
  /** The device of the VRF that the session runs in. */
  readonly vrf?: string;
  /** A router of another AS may be several hops away. */
  readonly isMultihop?: true;
  /** The router is to keep the routes while the announcer restarts (RFC 4724). */
  readonly hasGracefulRestart?: true;
  readonly port: number;
  readonly sourceAddress?: string;
  readonly routerId?: string;
  /** Of TCP's MD5 signatures. */
  readonly password?: string;
  /** Seconds; 0: the session is not watched. */
  readonly holdTime: number;
  /** The longest wait between attempts to connect, seconds. */
  readonly connectTime?: number;
  /** Watches the session; over several hops where the router is not on a network of ours. */
  readonly bfd?: BfdProfile & { readonly isMultihop: boolean };
  /** What is advertised over the session. */
  readonly families: readonly Family[];
  /** Nodes that hold a session; empty: all. */
  readonly nodeSelectors: readonly LabelSelector[];
};

const DEFAULT_HOLD_SECONDS = 90;
const DEFAULT_PORT = 179;

/** Reads one BGPPeer beside the Secrets of its namespace, and BFDProfiles unless those are not looked at. */
export function readPeer(
  raw: unknown,
  secrets: readonly unknown[],
  profiles?: BfdProfiles,
): Parsed<BgpPeer> {
  const read = parseBgpPeer(raw);
  if (!read.ok) return read;
  const { metadata, spec } = read.value;
  const known = passwordOf(spec, secrets);
  const findings = [
    ...nameFindings(metadata.name),
    ...profileFindings(spec, profiles),
    ...("finding" in known ? [known.finding] : []),
  ];
  if (findings.length > 0 || "finding" in known) {
    const object = objectName(bgpPeerResource.kind, raw);
    return { ok: false, errors: findings.map(finding => ({ object, ...finding })) };
  }
  const { password } = known;
  const peer = { ...peerFrom(metadata.name ?? "", spec), ...bfdPart(spec, profiles) };
  return { ok: true, value: { ...peer, ...(password === undefined ? {} : { password }) } };
}

function bfdPart(
  { bfdProfile = "", ebgpMultiHop = false }: BGPPeer["spec"],
  profiles: BfdProfiles | undefined,
): Pick<BgpPeer, "bfd"> {
  const profile = profiles?.get(bfdProfile);
  return profile ? { bfd: { ...profile, isMultihop: ebgpMultiHop } } : {};
}

/** A session that is to be watched must not come up unwatched. */
function profileFindings(
  { bfdProfile }: BGPPeer["spec"],
  profiles: BfdProfiles | undefined,
): readonly Finding[] {
  if (!bfdProfile || !profiles || profiles.has(bfdProfile)) return [];
  const problem = "is no BFDProfile of this namespace";
  const remedy = "mend or create it, or remove this field";
  return [{ field: "spec.bfdProfile", value: bfdProfile, problem, remedy, mayComeLater: true }];
}

function peerFrom(name: string, spec: BGPPeer["spec"]): BgpPeer {
  return {
    name,
    myAsn: spec.myASN,
    peerAsn: spec.dynamicASN ?? spec.peerASN ?? 0,
    address: spec.peerAddress ?? "",
    port: spec.peerPort === 0 ? DEFAULT_PORT : spec.peerPort,
    holdTime: holdSeconds(spec),
    families: familiesOf(spec),
    nodeSelectors: spec.nodeSelectors ?? [],
    ...optionalParts(spec),
  };
}

/** A link-local address is of no family in particular. */
function familiesOf(spec: BGPPeer["spec"]): readonly Family[] {
  if (spec.dualStackAddressFamily || spec.interface) return ["ipv4", "ipv6"];
  return [parseAddress(spec.peerAddress ?? "")?.family ?? "ipv4"];
}

type OptionalParts = Pick<
  BgpPeer,
  | "localAsn"
  | "sourceAddress"
  | "routerId"
  | "connectTime"
  | "interface"
  | "vrf"
  | "isMultihop"
  | "hasGracefulRestart"
>;

/** What has no default here; empty texts and 0 are as good as nothing, as in Go. */
function optionalParts(spec: BGPPeer["spec"]): OptionalParts {
  const { localASN, sourceAddress, routerID, connectTime, interface: link, vrf } = spec;
  return {
    ...(link ? { interface: link } : {}),
    ...(vrf ? { vrf } : {}),
    ...(spec.ebgpMultiHop ? { isMultihop: true } : {}),
    ...(spec.enableGracefulRestart ? { hasGracefulRestart: true } : {}),
    ...(localASN ? { localAsn: localASN } : {}),
    ...(sourceAddress ? { sourceAddress } : {}),
    ...(routerID ? { routerId: routerID } : {}),
    ...(connectTime ? { connectTime: (milliseconds(connectTime) ?? 0) / 1000 } : {}),
  };
}

/** MetalLB's rule: three keepalive times where only that is given. Whole seconds, as on the wire. */
function holdSeconds({ holdTime, keepaliveTime }: BGPPeer["spec"]): number {
  const hold = milliseconds(holdTime);
  const keepalive = milliseconds(keepaliveTime);
  if (hold !== undefined) return Math.round(hold / 1000);
  return keepalive === undefined ? DEFAULT_HOLD_SECONDS : Math.round((3 * keepalive) / 1000);
}
