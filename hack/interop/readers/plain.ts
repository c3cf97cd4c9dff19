/** BGP messages in a form that independent programs can give too, so that what they read can be compared. */
import { isIPv6 } from "node:net";
import type { Capability, Message, PathAttributes } from "../../../capabilities/bgp/index";
import { formatAddress, parseAddress } from "../../../capabilities/bgp/wire/address";
import { encodeAttributes } from "../../../capabilities/bgp/wire/attribute-encoder";
import { u32 } from "../../../capabilities/bgp/wire/bytes";
import { encodeCapability } from "../../../capabilities/bgp/wire/capability";
import { toHex } from "../../../capabilities/bgp/wire/hex";

/** A capability or path attribute: its code, and its value as text, or as `0x…` where the reader has no better. */
type Item = readonly [code: number, value: string];

export type Plain = {
  readonly type: number;
  /** The fixed fields in their order: of an OPEN its AS, hold time and identifier, and so on. */
  readonly fields: readonly string[];
  readonly items: readonly Item[];
  readonly withdrawn: readonly string[];
  readonly announced: readonly string[];
  /** Why it could not be read. */
  readonly error?: string;
};

const NUMBERS = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;
const ORIGINS = ["igp", "egp", "incomplete"];
const CONTEXT = { fourOctetAs: true, isInternal: true };
const AFIS = { ipv4: 1, ipv6: 2 } as const;

/**
 * What we read. Where another reader gives the octets of an item, `octets` asks for ours in the same way.
 *
 * @param octets - codes of the items whose value the other reader gives as octets
 */
export function plainOf(message: Message, octets: ReadonlySet<number> = new Set()): Plain {
  const rest = { items: [], withdrawn: [], announced: [] };
  const type = NUMBERS[message.type];
  switch (message.type) {
    case "open": {
      const identifier = formatAddress(u32(message.identifier));
      const fields = [String(message.myAs), String(message.holdTime), identifier];
      return {
        ...rest,
        type,
        fields,
        items: message.capabilities.map(one => capability(one, octets)),
      };
    }
    case "notification":
      return {
        ...rest,
        type,
        fields: [...texts(message.code, message.subcode), raw(message.data)],
      };
    case "routeRefresh":
      return { ...rest, type, fields: texts(message.afi, message.safi, message.subtype) };
    case "keepalive":
      return { ...rest, type, fields: [] };
    case "update":
      return {
        type,
        fields: [],
        items: attributes(message.attributes, octets),
        withdrawn: message.withdrawn,
        announced: message.announced,
      };
  }
}

function capability(one: Capability, octets: ReadonlySet<number>): Item {
  const bytes = encodeCapability(one);
  const code = bytes[0] ?? 0;
  if (!octets.has(code)) {
    if (one.kind === "multiprotocol") return [code, `${one.afi}/${one.safi}`];
    if (one.kind === "fourOctetAs") return [code, String(one.as)];
  }
  return [code, raw(bytes.subarray(2))];
}

/** By code. */
function attributes(all: PathAttributes, octets: ReadonlySet<number>): readonly Item[] {
  const meanings = new Map(meaningsOf(all));
  return framesOf(encodeAttributes(all, CONTEXT))
    .map(([code, value]): Item => {
      const meaning = octets.has(code) ? undefined : meanings.get(code);
      return [code, meaning ?? raw(value)];
    })
    .sort(([a], [b]) => a - b);
}

function meaningsOf(all: PathAttributes): readonly Item[] {
  const path = all.asPath?.map(({ kind, ases }) => [kind, ...ases].join(" ")).join(", ");
  const values: readonly (readonly [number, string | undefined])[] = [
    [1, all.origin && String(ORIGINS.indexOf(all.origin))],
    [2, path],
    [3, all.nextHop],
    [4, all.med?.toString()],
    [5, all.localPref?.toString()],
    [6, all.atomicAggregate && ""],
    [7, all.aggregator && `${all.aggregator.as} ${all.aggregator.address}`],
    [8, all.communities?.join(" ")],
    [9, all.originatorId],
    [10, all.clusterList?.join(" ")],
    [14, reach(all)],
    [15, unreach(all)],
    [32, all.largeCommunities?.join(" ")],
  ];
  return values.filter((item): item is Item => item[1] !== undefined);
}

function reach({ reach: one }: PathAttributes): string | undefined {
  if (!one || !("family" in one)) return undefined;
  const hops = [one.nextHop, ...(one.linkLocal === undefined ? [] : [one.linkLocal])].join(",");
  return [`${AFIS[one.family]}/1 ${hops}`, ...one.prefixes].join(" ");
}

function unreach({ unreach: one }: PathAttributes): string | undefined {
  if (!one || !("family" in one)) return undefined;
  return [`${AFIS[one.family]}/1`, ...one.prefixes].join(" ");
}

/** Attributes by their headers alone. */
function framesOf(bytes: Uint8Array): readonly (readonly [number, Uint8Array])[] {
  const frames: (readonly [number, Uint8Array])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [flags = 0, code = 0, high = 0, low = 0] = bytes.subarray(at, at + 4);
    const isLong = (flags & 0x10) !== 0;
    const start = at + (isLong ? 4 : 3);
    at = start + (isLong ? 256 * high + low : high);
    frames.push([code, bytes.subarray(start, at)]);
  }
  return frames;
}

/** The codes of which another reader gives octets. */
export function octetsIn({ items }: Plain): ReadonlySet<number> {
  return new Set(items.filter(([, value]) => value.startsWith("0x")).map(([code]) => code));
}

/** The same message as another reader gave it: attributes by code, and addresses as we write them. */
export function canonical({ type, fields, items, withdrawn, announced }: Plain): Plain {
  const written = items.map(([code, value]): Item => [code, addressesIn(value)]);
  return {
    type,
    fields,
    items: type === NUMBERS.update ? written.sort(([a], [b]) => a - b) : written,
    withdrawn: withdrawn.map(addressesIn),
    announced: announced.map(addressesIn),
  };
}

/** A text with its IPv6 addresses as we write them. */
export function addressesIn(text: string): string {
  return text.replace(/[0-9a-f:.]+/gi, word => {
    const octets = isIPv6(word) ? parseAddress(word) : undefined;
    return octets ? formatAddress(octets) : word;
  });
}

const raw = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;
const texts = (...values: readonly number[]): readonly string[] => values.map(String);
