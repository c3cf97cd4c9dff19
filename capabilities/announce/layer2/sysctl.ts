import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Family } from "../../config/address";
import type { ArpSettings } from "./answer-mode";
import type { FormerValues } from "./sysctl-note";

/** A kernel setting: path below net, e.g. "ipv4/conf/eth0/forwarding", and the value it must have. */
export type Sysctl = {
  readonly path: string;
  readonly value: string;
  /** Set only where the present value is this one. */
  readonly onlyFrom?: string;
};

/**
 * What the kernel needs to answer for and deliver addresses of these families on an interface.
 *
 * - forwarding: the kernel proxies only on an interface that forwards (net/ipv4/arp.c arp_process,
 *   net/ipv6/ndisc.c ndisc_recv_ns), and delivering to a pod is forwarding.
 * - proxy_ndp, of the interface for solicitations that go to the group, and of `all` for those that go to the address
 *   itself, by which neighbours verify an entry that they have (RFC 4861 section 7.3): net/ipv6/ip6_output.c ip6_forward
 *   looks at `all` only, and would forward them. Entries are per interface, so this makes no other interface answer.
 * - proxy_delay: otherwise each answer waits a random time of up to 0.8 s.
 * - accept_ra 2: an interface that forwards ignores router advertisements at 1 and would lose its default route.
 */
export function neededSysctls(interfaceName: string, families: ReadonlySet<Family>): Sysctl[] {
  const list: Sysctl[] = [];
  if (families.has("ipv4")) {
    list.push(
      { path: `ipv4/conf/${interfaceName}/forwarding`, value: "1" },
      { path: `ipv4/neigh/${interfaceName}/proxy_delay`, value: "0" },
    );
  }
  if (families.has("ipv6")) {
    list.push(
      { path: `ipv6/conf/${interfaceName}/accept_ra`, value: "2", onlyFrom: "1" },
      { path: "ipv6/conf/all/forwarding", value: "1" },
      { path: `ipv6/conf/${interfaceName}/forwarding`, value: "1" },
      { path: "ipv6/conf/all/proxy_ndp", value: "1" },
      { path: `ipv6/conf/${interfaceName}/proxy_ndp`, value: "1" },
      { path: `ipv6/neigh/${interfaceName}/proxy_delay`, value: "0" },
    );
  }
  return list;
}

/** A setting that could not be made, and a sentence on why and what to do. */
export type RefusedSysctl = { readonly path: string; readonly problem: string };

/** What could not be set, and the former values of what was. */
export type SysctlOutcome = {
  readonly refused: readonly RefusedSysctl[];
  readonly former: FormerValues;
};

/**
 * Sets what differs, below `root` (/proc/sys/net or where that is mounted). Not by promises: the kernel answers in
 * microseconds, but each read would be four trips through Node's threads, and all of them together are on the way of a
 * takeover.
 */
export function ensureSysctls(root: string, wanted: readonly Sysctl[]): SysctlOutcome {
  const refused: RefusedSysctl[] = [];
  const former = new Map<string, string>();
  for (const sysctl of wanted) {
    const { problem, was } = ensureSysctl(root, sysctl);
    if (problem !== undefined) refused.push({ path: sysctl.path, problem });
    if (was !== undefined) former.set(sysctl.path, was);
  }
  return { refused, former };
}

/** Puts settings back. An interface that is gone took its settings with it, and what cannot be set stays. */
export function restoreSysctls(root: string, former: FormerValues): void {
  for (const [path, value] of former) {
    try {
      writeFileSync(join(root, path), value, { flag: "r+" });
    } catch {
      // It stays.
    }
  }
}

/** How interfaces treat ARP for other interfaces' addresses; what cannot be read counts as the kernel's default. */
export function readArpSettings(
  root: string,
  interfaceNames: readonly string[],
): ReadonlyMap<string, ArpSettings> {
  const read = (name: string, setting: string): number => {
    try {
      return Number(readFileSync(join(root, `ipv4/conf/${name}/${setting}`), "utf8"));
    } catch {
      return 0;
    }
  };
  const inForce = (name: string, setting: string): number =>
    Math.max(read("all", setting), read(name, setting));
  return new Map(
    interfaceNames.map(name => {
      const settings = {
        ignore: inForce(name, "arp_ignore"),
        announce: inForce(name, "arp_announce"),
      };
      return [name, settings] as const;
    }),
  );
}

function ensureSysctl(
  root: string,
  { path, value, onlyFrom }: Sysctl,
): { readonly problem?: string; readonly was?: string } {
  const file = join(root, path);
  const name = `net/${path}`;
  try {
    const present = readFileSync(file, "utf8").trim();
    if (present === value || (onlyFrom !== undefined && present !== onlyFrom)) return {};
    writeFileSync(file, value);
    return { was: present };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      `sysctl ${name} cannot be set to ${value} through ${file} (${code ?? String(error)}): ` +
      `run "sysctl -w ${name}=${value}" on the node, or mount the host's /proc/sys/net writable ` +
      "and name the mount with --sysctl-root";
    return { problem };
  }
}
