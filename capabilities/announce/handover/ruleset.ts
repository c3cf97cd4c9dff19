import type { Family } from "../../config/address";
import { familyOf } from "../layer2/kernel-state";
import type { Forwarding } from "./forwarding";

/** The name of our table, one in each family; `nft list table ip ancho` shows it. */
export const TABLE = "ancho";
/** The set of addresses that this node has or had, with notes. */
export const HELD = "held";

export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

const WORDS = {
  ipv4: {
    ...{ table: "ip", type: "ipv4_addr", to: "ip daddr" },
    errors: "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
  },
  ipv6: {
    ...{ table: "ip6", type: "ipv6_addr", to: "ip6 daddr" },
    errors:
      "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
  },
} as const;

/** How nft calls the family's table. */
export function tableOf(family: Family): string {
  return WORDS[family].table;
}

/**
 * One transaction that makes the tables of these families what they are to be, whatever they were. A table that has
 * nothing to do goes.
 */
export function rulesetOf({ held, previous }: Forwarding, families: readonly Family[]): string {
  return families
    .map(family => {
      const isOfFamily = ([address]: readonly [string, string]): boolean =>
        familyOf(address) === family;
      const ours = [...held].filter(isOfFamily);
      return ours.length === 0
        ? noTable(family, TABLE)
        : tableWith(family, TABLE, { ours, ways: [...previous].filter(isOfFamily) });
    })
    .join("");
}

/** Makes a table of another name and removes it, in one transaction: it fails where the kernel cannot do all of it. */
export function trialOf(family: Family): string {
  const name = `${TABLE}-trial`;
  return tableWith(family, name, { ours: [], ways: [] }) + noTable(family, name);
}

type Elements = {
  readonly ours: readonly (readonly [string, string])[];
  readonly ways: readonly (readonly [string, string])[];
};

/** nft has no "delete if it exists" before 1.0.9. */
function noTable(family: Family, name: string): string {
  const table = `${WORDS[family].table} ${name}`;
  return `add table ${table}\ndelete table ${table}\n`;
}

/**
 * Conntrack's hook has priority -200 and kube-proxy's DNAT -100: in between it is known whether this node tracks the
 * connection, and the packet is still as it came. `dup` sends a copy to another node with the packet's addresses as they
 * are and a TTL that is one less; the original is dropped, so that it makes no entry here. A lookup that fails ends a
 * rule, so what has no entry passes. A new connection begins with SYN and stays.
 */
function tableWith(family: Family, name: string, { ours, ways }: Elements): string {
  const { table: kind, type, to, errors } = WORDS[family];
  const table = `${kind} ${name}`;
  const handOver = `dup to ${to} map @previous drop`;
  const hook = (at: string, priority: number): string =>
    `{ type filter hook ${at} priority ${priority} ; policy accept ; }`;
  const lines = [
    `add table ${table}`,
    `add set ${table} ${HELD} { type ${type} ; }`,
    `add map ${table} previous { type ${type} : ${type} ; }`,
    `add chain ${table} handover ${hook("prerouting", -150)}`,
    `add chain ${table} undelivered ${hook("forward", 0)}`,
    `flush chain ${table} handover`,
    `flush chain ${table} undelivered`,
    `flush set ${table} ${HELD}`,
    `flush map ${table} previous`,
    `add rule ${table} handover tcp flags & (fin|syn|rst|ack) != syn ct state { new, invalid } ${handOver}`,
    `add rule ${table} handover ${errors} ct state invalid ${handOver}`,
    `add rule ${table} undelivered ${to} @${HELD} drop`,
    ...elements(
      table,
      HELD,
      ours.map(([address, note]) => `${address} comment "${note}"`),
    ),
    ...elements(
      table,
      "previous",
      ways.map(([address, way]) => `${address} : ${way}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function elements(table: string, name: string, list: readonly string[]): readonly string[] {
  return list.length > 0 ? [`add element ${table} ${name} { ${list.join(", ")} }`] : [];
}

/** The set's elements and their notes in what `nft -j list set` says; what cannot be read is left out. */
export function readHeld(json: string): readonly (readonly [string, string])[] {
  const { nftables } = JSON.parse(json) as { nftables?: readonly { set?: { elem?: unknown } }[] };
  const sets = (nftables ?? []).map(({ set }) => set?.elem).filter(Array.isArray);
  return sets.flat().flatMap((element: unknown) => {
    const { val, comment } =
      (element as { elem?: { val?: unknown; comment?: unknown } }).elem ?? {};
    return typeof val === "string" ? [[val, typeof comment === "string" ? comment : ""]] : [];
  }) as readonly (readonly [string, string])[];
}
