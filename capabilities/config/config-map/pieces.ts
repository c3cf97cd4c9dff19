import { ORIGIN } from "../raw-object";
import type { Finding } from "../selector-rules";
import type { ValidatedKind } from "../validators/parsers";
import type { Placed } from "./decoder";
import type { BfdProfileText, ConfigText, NodeSelectorText, PeerText, PoolText } from "./format";

/** A custom resource made of a part of the ConfigMap. */
export type Converted = {
  readonly kind: ValidatedKind;
  readonly object: ConvertedObject;
  /** The part's place in the text: "address-pools[0]". */
  readonly place: string;
};

export type ConvertedObject = {
  readonly apiVersion: string;
  readonly kind: ValidatedKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
};

type Context = {
  readonly namespace: string;
  /** The ConfigMap, as it is named in messages. */
  readonly source: string;
};

type Pieces = { readonly resources: readonly Converted[]; readonly findings: readonly Finding[] };
type Make = (kind: ValidatedKind, place: string, name: string, spec: object) => Converted;

/** The hold time of MetalLB when none is written (RFC 4271 section 10). */
const HOLD_TIME = "90s";

/**
 * The custom resources that the text stands for, in the order and with the names that MetalLB's `configmaptocrs`
 * gives them: peer1 …, bgpadvertisement1 …, l2advertisement1 …, `communities`, and the names of pools and BFD
 * profiles made fit for Kubernetes.
 */
export function piecesOf(text: ConfigText, { namespace, source }: Context): Pieces {
  const make: Make = (kind, place, name, spec) => ({
    kind,
    place,
    object: {
      apiVersion: kind === "BGPPeer" ? "metallb.io/v1beta2" : "metallb.io/v1beta1",
      kind,
      metadata: { name, namespace, annotations: { [ORIGIN]: `${place} of ${source}` } },
      spec: withoutUndefined(spec),
    },
  });
  const pools = text["address-pools"] ?? [];
  const profiles = text["bfd-profiles"] ?? [];
  const findings = [
    ...pools.flatMap(poolFindings),
    ...profiles.flatMap(({ at, value }) => nameFinding(at, value.name)),
  ];
  const isRight = ({ at }: Placed<unknown>): boolean =>
    findings.every(({ field }) => !field.startsWith(`${at}.`));
  const good = pools.filter(isRight);
  return {
    resources: [
      ...(text.peers ?? []).map(({ at, value }, i) =>
        make("BGPPeer", at, `peer${i + 1}`, peerSpec(value)),
      ),
      ...good.map(({ at, value }) =>
        make("IPAddressPool", at, kubernetesName(value.name ?? ""), poolSpec(value)),
      ),
      ...advertisements(good, make),
      ...profiles
        .filter(isRight)
        .map(({ at, value: { name = "", ...rest } }) =>
          make("BFDProfile", at, kubernetesName(name), bfdSpec(rest)),
        ),
      ...communities(text["bgp-communities"] ?? {}, make),
    ],
    findings,
  };
}

/**
 * A pool's or a profile's name as Kubernetes allows it, as `configmaptocrs` makes it: lower case, dashes for
 * underscores, no leading characters that are not letters, at most 63 characters.
 */
export function kubernetesName(name: string): string {
  const dashed = name.toLowerCase().replaceAll("_", "-");
  return dashed.slice(0, 63).replace(/^[^a-z]+/, "");
}

function poolFindings({ at, value }: Placed<PoolText>): readonly Finding[] {
  const { protocol } = value;
  const advertisements = value["bgp-advertisements"] ?? [];
  const findings = [...nameFinding(at, value.name)];
  if (protocol === undefined) {
    const remedy = "write layer2 or bgp";
    findings.push({ field: `${at}.protocol`, value: undefined, problem: "is missing", remedy });
  }
  if (protocol === "layer2" && advertisements.length > 0) {
    findings.push({
      field: `${at}.bgp-advertisements`,
      value: undefined,
      problem: "stands in a pool whose protocol is layer2",
      remedy: "remove it, or write protocol: bgp",
    });
  }
  return findings;
}

function nameFinding(at: string, name: string | undefined): readonly Finding[] {
  if (name !== undefined && kubernetesName(name) !== "") return [];
  const problem = name === undefined ? "is missing" : "has no letter that a name could begin with";
  return [{ field: `${at}.name`, value: name, problem, remedy: "give it a name of letters" }];
}

function peerSpec(peer: PeerText): object {
  const { "peer-port": port, "node-selectors": selectors } = peer;
  return {
    myASN: peer["my-asn"],
    peerASN: peer["peer-asn"],
    peerAddress: peer["peer-address"],
    sourceAddress: peer["source-address"],
    peerPort: port,
    holdTime: peer["hold-time"] ?? HOLD_TIME,
    keepaliveTime: peer["keepalive-time"],
    routerID: peer["router-id"],
    nodeSelectors: selectors?.map(({ value }) => selectorSpec(value)),
    password: peer.password,
    bfdProfile: peer["bfd-profile"] && kubernetesName(peer["bfd-profile"]),
    ebgpMultiHop: peer["ebgp-multihop"],
  };
}

function selectorSpec(selector: NodeSelectorText): object {
  const expressions = selector["match-expressions"];
  return withoutUndefined({
    matchLabels: selector["match-labels"],
    matchExpressions: expressions?.map(({ value: { key, operator, values } }) =>
      withoutUndefined({ key, operator, values: values && valuesOf(values) }),
    ),
  });
}

function poolSpec(pool: PoolText): object {
  return {
    addresses: valuesOf(pool.addresses ?? []),
    autoAssign: pool["auto-assign"],
    avoidBuggyIPs: pool["avoid-buggy-ips"],
  };
}

/** A BGP pool without advertisements is advertised with the defaults. */
function advertisements(pools: readonly Placed<PoolText>[], make: Make): readonly Converted[] {
  const bgp = pools
    .filter(({ value }) => value.protocol === "bgp")
    .flatMap(({ at, value }) => {
      const pool = kubernetesName(value.name ?? "");
      const list = value["bgp-advertisements"] ?? [];
      if (list.length === 0) return [{ at, spec: { ipAddressPools: [pool] } }];
      return list.map(({ at: own, value: ad }) => ({
        at: own,
        spec: {
          aggregationLength: ad["aggregation-length"],
          aggregationLengthV6: ad["aggregation-length-v6"],
          localPref: ad.localpref,
          communities: ad.communities && valuesOf(ad.communities),
          ipAddressPools: [pool],
        },
      }));
    });
  const layer2 = pools.filter(({ value }) => value.protocol === "layer2");
  return [
    ...bgp.map(({ at, spec }, i) => make("BGPAdvertisement", at, `bgpadvertisement${i + 1}`, spec)),
    ...layer2.map(({ at, value }, i) =>
      make("L2Advertisement", at, `l2advertisement${i + 1}`, {
        ipAddressPools: [kubernetesName(value.name ?? "")],
      }),
    ),
  ];
}

function bfdSpec(profile: BfdProfileText): object {
  return {
    receiveInterval: profile["receive-interval"],
    transmitInterval: profile["transmit-interval"],
    detectMultiplier: profile["detect-multiplier"],
    echoInterval: profile["echo-interval"],
    echoMode: profile["echo-mode"],
    passiveMode: profile["passive-mode"],
    minimumTtl: profile["minimum-ttl"],
  };
}

function communities(names: Readonly<Record<string, string>>, make: Make): readonly Converted[] {
  const list = Object.entries(names).map(([name, value]) => ({ name, value }));
  if (list.length === 0) return [];
  return [make("Community", "bgp-communities", "communities", { communities: list })];
}

function valuesOf<T>(list: readonly Placed<T>[]): readonly T[] {
  return list.map(({ value }) => value);
}

function withoutUndefined(object: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
