/** What tshark's dissector should say of a message that we have read. */
import type { Capability, Message, Update } from "../../../capabilities/bgp/index";
import { formatAddress } from "../../../capabilities/bgp/wire/address";
import { u32 } from "../../../capabilities/bgp/wire/bytes";
import { encodeCapability } from "../../../capabilities/bgp/wire/capability";

const PATH = "update.path_attribute";

/** Of tshark, after `bgp.`. */
export const FIELDS = [
  ...["type", "open.myas", "open.holdtime", "open.identifier"],
  ...["cap.type", "cap.mp.afi", "cap.mp.safi", "cap.4as", "cap.gr.timers.restart_time"],
  ...["route_refresh.afi", "route_refresh.safi", "notify.major_error"],
  ...["withdrawn_prefix", "nlri_prefix"],
  ...[`${PATH}.origin`, `${PATH}.as_path_segment.as4`, `${PATH}.next_hop`],
  ...[`${PATH}.multi_exit_disc`, `${PATH}.local_pref`, `${PATH}.originator_id`],
  ...[`${PATH}.aggregator_as`, `${PATH}.aggregator_origin`],
  ...["large_communities.ga", "large_communities.ldp1", "large_communities.ldp2"],
  ...["mp_reach_nlri_ipv4_prefix", "mp_reach_nlri_ipv6_prefix", "mp_unreach_nlri_ipv6_prefix"],
];

type Values = Readonly<Record<string, readonly string[]>>;

/** Values of all of `FIELDS`, in the order in which they are in the message. */
export function fieldsOf(message: Message): Values {
  const nothing = Object.fromEntries(FIELDS.map(name => [name, []]));
  return { ...nothing, ...valuesOf(message) };
}

function valuesOf(message: Message): Values {
  switch (message.type) {
    case "open":
      return {
        type: ["1"],
        "open.myas": [String(message.myAs)],
        "open.holdtime": [String(message.holdTime)],
        "open.identifier": [formatAddress(u32(message.identifier))],
        ...capabilities(message.capabilities),
      };
    case "update":
      return { type: ["2"], ...attributes(message) };
    case "notification":
      return { type: ["3"], "notify.major_error": [String(message.code)] };
    case "keepalive":
      return { type: ["4"] };
    case "routeRefresh":
      return {
        type: ["5"],
        "route_refresh.afi": [String(message.afi)],
        "route_refresh.safi": [String(message.safi)],
      };
  }
}

function capabilities(all: readonly Capability[]): Values {
  const some = <K extends Capability["kind"]>(
    kind: K,
  ): readonly Extract<Capability, { readonly kind: K }>[] =>
    all.filter((one): one is Extract<Capability, { readonly kind: K }> => one.kind === kind);
  return {
    "cap.type": all.map(one => String(encodeCapability(one)[0])),
    "cap.mp.afi": some("multiprotocol").map(({ afi }) => String(afi)),
    "cap.mp.safi": some("multiprotocol").map(({ safi }) => String(safi)),
    "cap.4as": some("fourOctetAs").map(({ as }) => String(as)),
    "cap.gr.timers.restart_time": some("gracefulRestart").map(one => String(one.restartTime)),
  };
}

function attributes({ withdrawn, announced, attributes: all }: Update): Values {
  const large = (all.largeCommunities ?? []).map(text => text.split(":"));
  const { aggregator } = all;
  const origin = all.origin && ["igp", "egp", "incomplete"].indexOf(all.origin);
  return {
    withdrawn_prefix: hosts(withdrawn),
    nlri_prefix: hosts(announced),
    [`${PATH}.origin`]: maybe(origin),
    [`${PATH}.as_path_segment.as4`]: (all.asPath ?? []).flatMap(({ ases }) => ases.map(String)),
    [`${PATH}.next_hop`]: maybe(all.nextHop),
    [`${PATH}.multi_exit_disc`]: maybe(all.med),
    [`${PATH}.local_pref`]: maybe(all.localPref),
    [`${PATH}.originator_id`]: maybe(all.originatorId),
    [`${PATH}.aggregator_as`]: maybe(aggregator?.as),
    [`${PATH}.aggregator_origin`]: maybe(aggregator?.address),
    "large_communities.ga": large.map(([global = ""]) => global),
    "large_communities.ldp1": large.map(([, one = ""]) => one),
    "large_communities.ldp2": large.map(([, , two = ""]) => two),
    mp_reach_nlri_ipv4_prefix: hosts(prefixesOf(all.reach, "ipv4")),
    mp_reach_nlri_ipv6_prefix: hosts(prefixesOf(all.reach, "ipv6")),
    mp_unreach_nlri_ipv6_prefix: hosts(prefixesOf(all.unreach, "ipv6")),
  };
}

type Routes = Update["attributes"]["reach"] | Update["attributes"]["unreach"];

function prefixesOf(routes: Routes, family: "ipv4" | "ipv6"): readonly string[] {
  return routes && "family" in routes && routes.family === family ? routes.prefixes : [];
}

const maybe = (value: string | number | undefined): readonly string[] =>
  value === undefined ? [] : [String(value)];
const hosts = (prefixes: readonly string[]): readonly string[] =>
  prefixes.map(prefix => prefix.replace(/\/.*/, ""));
