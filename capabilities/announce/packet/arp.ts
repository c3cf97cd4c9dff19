import { addressBytes } from "../address-bytes";
import type { IpAddress } from "../../config/address";
import { BROADCAST_MAC, encodeFrame } from "./ethernet";
import type { Mac } from "./ethernet";

const ETHERTYPE_ARP = 0x0806;
const REQUEST = 1;
const REPLY = 2;
const ZERO_MAC: Mac = new Uint8Array(6);

/**
 * Gratuitous ARP as a broadcast request (RFC 5227 section 3, "ARP announcement"): sender and target are the
 * address, the target's hardware address is unset.
 */
export function gratuitousArpRequest(address: IpAddress, mac: Mac): Buffer {
  return gratuitousArp(REQUEST, { address, mac, target: ZERO_MAC });
}

/**
 * Gratuitous ARP as a broadcast reply (RFC 5944 section 4.6): some hosts update their table only on
 * one form, some only on the other, so both are sent.
 */
export function gratuitousArpReply(address: IpAddress, mac: Mac): Buffer {
  return gratuitousArp(REPLY, { address, mac, target: mac });
}

/**
 * The answer to an ARP probe (RFC 5227 section 2.1.1): who is about to take the address learns that it is in use. It
 * goes to the asker alone, whose protocol address is still zero.
 */
export function arpProbeReply(address: IpAddress, mac: Mac, asker: Mac): Buffer {
  const to = { destination: asker, target: asker, targetAddress: NO_ADDRESS };
  return arp(REPLY, { address, mac, ...to });
}

const NO_ADDRESS = Buffer.alloc(4);

type Binding = { readonly address: IpAddress; readonly mac: Mac; readonly target: Mac };

function gratuitousArp(operation: number, binding: Binding): Buffer {
  const targetAddress = addressBytes(binding.address);
  return arp(operation, { ...binding, destination: BROADCAST_MAC, targetAddress });
}

type Told = Binding & { readonly destination: Mac; readonly targetAddress: Buffer };

function arp(
  operation: number,
  { address, mac, target, destination, targetAddress }: Told,
): Buffer {
  // Hardware type Ethernet (1), protocol IPv4, lengths 6 and 4 (RFC 826).
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation]);
  const payload = Buffer.concat([head, mac, addressBytes(address), target, targetAddress]);
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_ARP }, payload);
}
