import { DEVICE } from "./kernel-state";
import type { Link } from "./kernel-state";

/**
 * Interfaces that carry no LAN, by name; MetalLB's default list (its excludel2.yaml). An L2Advertisement that
 * names an interface overrides it.
 */
export const DEFAULT_EXCLUDES: readonly string[] = [
  "^docker.*",
  "^cbr.*",
  "^dummy.*",
  "^virbr.*",
  "^lxcbr.*",
  "^veth.*",
  "^lo$",
  "^cali.*",
  "^tunl.*",
  "^flannel.*",
  "^kube-ipvs.*",
  "^cni.*",
  "^nodelocaldns.*",
  "^lxc.*",
];

/** "all": every interface that can announce. */
export type WantedInterfaces = "all" | readonly string[];

/**
 * The links to answer on: up, able to broadcast, doing ARP, not a port of a bridge or bond (its master speaks
 * for it), not the device that our routes lead to. Of a wanted list those that exist and qualify.
 */
export function chooseInterfaces(
  links: readonly Link[],
  wanted: WantedInterfaces,
  excludes: readonly RegExp[],
): readonly Link[] {
  return links.filter(link => {
    if (!canAnnounce(link)) return false;
    return wanted === "all"
      ? !excludes.some(exclude => exclude.test(link.name))
      : wanted.includes(link.name);
  });
}

/** All links that some advertisement may choose and that have carrier. */
export function announcingLinks(
  links: readonly Link[],
  named: readonly string[],
  excludes: readonly RegExp[],
): readonly Link[] {
  const all = chooseInterfaces(links, "all", excludes);
  const others = chooseInterfaces(links, named, excludes).filter(link => !all.includes(link));
  return [...all, ...others].filter(({ carrier }) => carrier);
}

function canAnnounce(link: Link): boolean {
  const speaksArp = link.broadcast && !link.noArp && !link.loopback;
  return link.up && speaksArp && link.master === undefined && link.name !== DEVICE;
}
