import { pushTo } from "../grouped";
import type { KernelState, Link, ProxyEntry } from "./kernel-state";
import { familyOf } from "./kernel-state";

/**
 * Who answers on the wire for an address. proxy: the kernel, for its proxy entry. local: the kernel, for the
 * address is one of the node's own, as kube-proxy makes it in IPVS mode. packet: this program, where the kernel
 * would not.
 */
export type AnswerMode = "proxy" | "local" | "packet";

/** An interface's ARP settings that are in force: the greater of its own and of `all` (linux/inetdevice.h). */
export type ArpSettings = { readonly ignore: number; readonly announce: number };

/** An interface on which this node's kernel answers for an address, whether or not the node owns it. */
export type Unguarded = { readonly address: string; readonly interfaceName: string };

export type AnswerModeInput = {
  readonly locals: KernelState["locals"];
  readonly arp: ReadonlyMap<string, ArpSettings>;
  /** The kernel could not be made to answer for its proxy entry. */
  readonly isRefused: boolean;
};

/** kube-proxy's `strictARP` sets both; arp_ignore and arp_announce in Documentation/networking/ip-sysctl.rst. */
const STRICT: ArpSettings = { ignore: 1, announce: 2 };
const NOT_STRICT: ArpSettings = { ignore: 0, announce: 0 };

/**
 * Who answers for an address on a link. The kernel looks up proxy entries for IPv4 only where the address is not
 * local (net/ipv4/arp.c arp_process), for IPv6 wherever it is not on the link itself (net/ipv6/ndisc.c
 * ndisc_recv_ns).
 */
export function answerModeOf(address: string, link: Link, input: AnswerModeInput): AnswerMode {
  const places = input.locals.filter(local => local.address === address);
  const isHere = places.some(({ interfaceIndex }) => interfaceIndex === link.index);
  if (familyOf(address) === "ipv6") {
    return isHere ? "local" : input.isRefused ? "packet" : "proxy";
  }
  if (places.length === 0) return input.isRefused ? "packet" : "proxy";
  const { ignore } = input.arp.get(link.name) ?? NOT_STRICT;
  const isAnswered = ignore === 0 || (isHere && ignore <= 2);
  return isAnswered ? "local" : "packet";
}

/**
 * Where this node speaks for addresses that another node may own: IPv4 addresses that are local, on links that do
 * not keep quiet about other links' addresses.
 */
export function unguardedOf(
  addresses: Iterable<string>,
  links: readonly Link[],
  { locals, arp }: Pick<AnswerModeInput, "locals" | "arp">,
): readonly Unguarded[] {
  const byAddress = new Map<string, ProxyEntry[]>();
  for (const local of locals) pushTo(byAddress, local.address, local);
  return [...addresses]
    .filter(address => familyOf(address) === "ipv4" && byAddress.has(address))
    .flatMap(address =>
      links
        .filter(({ name }) => {
          const { ignore, announce } = arp.get(name) ?? NOT_STRICT;
          return ignore < STRICT.ignore || announce < STRICT.announce;
        })
        .map(({ name }) => ({ address, interfaceName: name })),
    );
}
