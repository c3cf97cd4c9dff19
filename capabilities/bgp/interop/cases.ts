/** Kinds of sessions that every router is to have with us. */
import type { PeerOptions } from "../peer-options";
import { address, ROUTERS, SIGNED } from "./hosts";
import type { RouterName } from "./hosts";

export const OUR_AS = 4_200_000_001;
export const ROUTER_AS: Readonly<Record<RouterName, number>> = {
  frr: 65_101,
  bird: 65_102,
  gobgp: 65_103,
  exabgp: 65_104,
  bird3: 65_105,
};

export type Case = {
  /** The end of our address, from 1. */
  readonly number: number;
  readonly title: string;
  /** Of the TCP connection. */
  readonly family: "ipv4" | "ipv6";
  readonly isInternal?: true;
  readonly password?: string;
  readonly hasTtlSecurity?: true;
  /** Who dials: we, the router, or both at once. */
  readonly dials: "we" | "they" | "both";
  readonly isIpv4OverIpv6?: true;
  readonly routers: readonly RouterName[];
};

const all: readonly RouterName[] = ["frr", "bird", "bird3", "gobgp", "exabgp"];
const full: readonly RouterName[] = ["frr", "bird", "bird3", "gobgp"];

export const CASES: readonly Case[] = [
  { number: 1, title: "eBGP over IPv4", family: "ipv4", dials: "we", routers: full },
  { number: 2, title: "eBGP over IPv6", family: "ipv6", dials: "we", routers: full },
  {
    number: 3,
    title: "iBGP over IPv4",
    family: "ipv4",
    isInternal: true,
    dials: "we",
    routers: full,
  },
  {
    number: 4,
    title: "iBGP over IPv6",
    family: "ipv6",
    isInternal: true,
    dials: "we",
    routers: full,
  },
  { number: 5, title: "when the router dials", family: "ipv4", dials: "they", routers: all },
  { number: 6, title: "when both dial at once", family: "ipv4", dials: "both", routers: full },
  {
    ...{ number: 7, title: "signed, when we dial (bgp 77)", family: "ipv4", dials: "we" },
    ...{ password: "s3cret", routers: full },
  },
  {
    ...{ number: 8, title: "signed, over IPv6, when the router dials (bgp 77)", family: "ipv6" },
    ...{ dials: "they", password: "s3cret", routers: full },
  },
  {
    ...{ number: 9, title: "with TTL security (bgp 78)", family: "ipv4", dials: "we" },
    ...{ hasTtlSecurity: true, routers: full },
  },
  {
    ...{ number: 10, title: "with TTL security, over IPv6, when the router dials (bgp 78)" },
    ...{ family: "ipv6", dials: "they", hasTtlSecurity: true, routers: full },
  },
  {
    ...{ number: 11, title: "with IPv4 over IPv6 (bgp 43)", family: "ipv6", dials: "we" },
    ...{ isIpv4OverIpv6: true, routers: full },
  },
];

/** What the case's session is to bring. */
export const prefixesOf = ({ number }: Case): readonly [ipv4: string, ipv6: string] => [
  `192.0.2.${number}/32`,
  `2001:db8:1::${number.toString(16)}/128`,
];

export const peerAddress = ({ family, password }: Case, router: RouterName): string =>
  address(family, ROUTERS[router] + (password === undefined ? 0 : SIGNED));
export const ourAddress = ({ family, number }: Case): string => address(family, number);
export const ourAs = ({ isInternal }: Case, router: RouterName): number =>
  isInternal === true ? ROUTER_AS[router] : OUR_AS;

/** Our side of a session. */
export function peerOf(one: Case, router: RouterName): PeerOptions {
  const { number, family, dials } = one;
  const over = one.isIpv4OverIpv6 === true;
  return {
    address: peerAddress(one, router),
    localAddress: ourAddress(one),
    as: ROUTER_AS[router],
    localAs: ourAs(one, router),
    isPassive: dials === "they",
    retryTime: 0.5,
    maxRetryTime: 2,
    ...(one.password !== undefined && { password: one.password }),
    ...(one.hasTtlSecurity === true && { ttlSecurity: 1 }),
    ...(over && { ipv4OverIpv6: true }),
    nextHops: {
      ...(family === "ipv6" && !over && { ipv4: address("ipv4", number) }),
      ...(family === "ipv4" && { ipv6: address("ipv6", number) }),
    },
  };
}
