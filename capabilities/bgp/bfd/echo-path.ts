import { BlockList } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { familyOf } from "../wire/address";
import type { BfdPath } from "./options";

/** From where echo packets go, and to where they are to come back. */
export type EchoPath = { readonly interfaceName: string; readonly address: string };

/**
 * Whether echo packets make sense on a path: over one hop only (RFC 5883 section 3), and not between link-local
 * addresses, from which no router forwards (RFC 4291 section 2.5.6).
 */
export function canEcho({ address, isMultihop = false }: BfdPath): boolean {
  return !isMultihop && !/^fe[89ab]/i.test(address);
}

/**
 * The interface on whose network a neighbor is, and our address there: `localAddress`, if that is it, or else the
 * first. An interface that the path names comes before others.
 *
 * @returns undefined if the neighbor is on no network of ours
 */
export function echoPathOf(
  { address, localAddress, device }: BfdPath,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): EchoPath | undefined {
  const paths = Object.entries(interfaces).flatMap(([interfaceName, infos = []]) =>
    infos
      .filter(info => isNeighbor(address, info))
      .filter(info => localAddress === undefined || info.address === localAddress)
      .map(info => ({ interfaceName, address: info.address })),
  );
  return paths.find(({ interfaceName }) => interfaceName === device) ?? paths[0];
}

function isNeighbor(address: string, { cidr, address: own }: NetworkInterfaceInfo): boolean {
  const family = familyOf(address);
  if (cidr === null || familyOf(own) !== family || own === address) return false;
  const network = new BlockList();
  network.addSubnet(own, Number(cidr.split("/")[1]), family);
  return network.check(address, family);
}
