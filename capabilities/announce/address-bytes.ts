import { ADDRESS_BITS } from "../config/address";
import type { IpAddress } from "../config/address";

/** The address as it stands in packets and netlink messages: 4 or 16 bytes, network order. */
export function addressBytes({ family, value }: IpAddress): Buffer {
  const digits = ADDRESS_BITS[family] / 4;
  return Buffer.from(value.toString(16).padStart(digits, "0"), "hex");
}

/** The address that 4 or 16 bytes stand for; undefined for another length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const value = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  return { family: bytes.length === 4 ? "ipv4" : "ipv6", value };
}
