import { formatAddress, ipv6Groups, parseAddress } from "./address";
import type { IpAddress } from "./address";

/**
 * The name of the VirtualIP object that stands for an address. Names of objects may not hold colons, and two
 * writings of one address must be one name, since the name is the lock: IPv4 as it is ("172.30.0.240"), IPv6
 * as eight groups of four hex digits ("fd00-0030-0000-0000-0000-0000-0000-0240").
 */
export function vipName(address: IpAddress): string {
  if (address.family === "ipv4") return formatAddress(address);
  return ipv6Groups(address.value)
    .map(group => group.toString(16).padStart(4, "0"))
    .join("-");
}

/** The address that a VirtualIP's name stands for; undefined for a name that `vipName` never makes. */
export function parseVipName(name: string): IpAddress | undefined {
  const address = parseAddress(name.includes("-") ? name.replaceAll("-", ":") : name);
  return address && vipName(address) === name ? address : undefined;
}
