import { fields, flag, list, number, secret, text, texts, word } from "./decoder";

/**
 * The configuration of MetalLB 0.9 to 0.12: the YAML text under the key `config` of the ConfigMap of that name.
 * Its fields are those of internal/config/config.go of MetalLB 0.12, which refuses all others, too.
 */

const requirement = fields({ key: text, operator: text, values: list(text) });

const nodeSelector = fields({ "match-labels": texts, "match-expressions": list(requirement) });

const peer = fields({
  "my-asn": number,
  "peer-asn": number,
  "peer-address": text,
  "source-address": text,
  "peer-port": number,
  "hold-time": text,
  "keepalive-time": text,
  "router-id": text,
  "node-selectors": list(nodeSelector),
  password: secret,
  "bfd-profile": text,
  "ebgp-multihop": flag,
});

const bgpAdvertisement = fields({
  "aggregation-length": number,
  "aggregation-length-v6": number,
  localpref: number,
  communities: list(text),
});

const addressPool = fields({
  name: text,
  protocol: word("layer2", "bgp"),
  addresses: list(text),
  "auto-assign": flag,
  "avoid-buggy-ips": flag,
  "bgp-advertisements": list(bgpAdvertisement),
});

const bfdProfile = fields({
  name: text,
  "receive-interval": number,
  "transmit-interval": number,
  "detect-multiplier": number,
  "echo-interval": number,
  "echo-mode": flag,
  "passive-mode": flag,
  "minimum-ttl": number,
});

/** Reads the whole text. What is wrong in one element leaves out that element and no other. */
export const configText = fields(
  {
    peers: list(peer),
    "bgp-communities": texts,
    "address-pools": list(addressPool),
    "bfd-profiles": list(bfdProfile),
  },
  true,
);

type Read<D extends (...args: never[]) => { readonly value: unknown }> = NonNullable<
  ReturnType<D>["value"]
>;
export type ConfigText = Read<typeof configText>;
export type PeerText = Read<typeof peer>;
export type NodeSelectorText = Read<typeof nodeSelector>;
export type PoolText = Read<typeof addressPool>;
export type BfdProfileText = Read<typeof bfdProfile>;

/** Names of fields in the ConfigMap, by what the custom resources call the same thing. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  ...{ myASN: "my-asn", peerASN: "peer-asn", peerAddress: "peer-address" },
  ...{ sourceAddress: "source-address", peerPort: "peer-port", holdTime: "hold-time" },
  ...{ keepaliveTime: "keepalive-time", routerID: "router-id", nodeSelectors: "node-selectors" },
  ...{ bfdProfile: "bfd-profile", ebgpMultiHop: "ebgp-multihop", matchLabels: "match-labels" },
  ...{ matchExpressions: "match-expressions", aggregationLength: "aggregation-length" },
  ...{ aggregationLengthV6: "aggregation-length-v6", localPref: "localpref" },
  ...{ autoAssign: "auto-assign", avoidBuggyIPs: "avoid-buggy-ips" },
  ...{ receiveInterval: "receive-interval", transmitInterval: "transmit-interval" },
  ...{ detectMultiplier: "detect-multiplier", echoInterval: "echo-interval" },
  ...{ echoMode: "echo-mode", passiveMode: "passive-mode", minimumTtl: "minimum-ttl" },
};

/** Where a custom resource's field stands in the ConfigMap, if the resource was made of what is at `place`. */
export function oldField(place: string, field: string): string {
  const steps = field.split(".").slice(1);
  const renamed = steps.map(step => {
    const bracket = step.indexOf("[");
    const name = bracket < 0 ? step : step.slice(0, bracket);
    return (OLD_NAMES[name] ?? name) + step.slice(name.length);
  });
  return [place, ...renamed].filter(Boolean).join(".");
}
