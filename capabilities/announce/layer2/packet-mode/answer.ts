import { parseAddress } from "../../../config/address";
import { addressBytes } from "../../address-bytes";
import { encodeFrame } from "../../packet/ethernet";
import type { Mac } from "../../packet/ethernet";
import { encodeIcmpv6 } from "../../packet/ndp";
import type { Question } from "./question";

/** What is answered with. */
export type Answerer = {
  /** The interface's hardware address. */
  readonly mac: Mac;
  /** The address is one of the node's own, and not only proxied. */
  readonly isLocal: boolean;
  /** The interface's IPv6 link-local address, canonical text; undefined while it has none. */
  readonly linkLocal?: string;
};

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const NEIGHBOR_ADVERTISEMENT = 136;
const TARGET_LINK_LAYER_ADDRESS = 2;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const ALL_NODES_MAC: Mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const ALL_NODES = Buffer.from("ff020000000000000000000000000001", "hex");
const NO_IPV4 = Buffer.alloc(4);

/**
 * The frame that answers a question: an ARP reply (RFC 826), or a neighbor advertisement (RFC 4861 section 7.2.4),
 * which goes to all nodes and is not "solicited" if who asked has no address yet, and overrides only where the node
 * does not speak for another one.
 */
export function answerFrame(question: Question, answerer: Answerer): Buffer {
  const address = parseAddress(question.target);
  if (!address) throw new Error(`"${question.target}" is not an IP address`);
  const bytes = addressBytes(address);
  return question.family === "ipv4"
    ? arpReply(bytes, question, answerer)
    : advertisement(bytes, question, answerer);
}

function arpReply(address: Buffer, { asker, askerMac }: Question, { mac }: Answerer): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 2]);
  const target = asker ? addressBytes(asker) : NO_IPV4;
  const payload = Buffer.concat([head, mac, address, askerMac, target]);
  return encodeFrame({ destination: askerMac, source: mac, type: ETHERTYPE_ARP }, payload);
}

function advertisement(address: Buffer, question: Question, answerer: Answerer): Buffer {
  const { asker, askerMac } = question;
  const { mac, isLocal, linkLocal } = answerer;
  // A packet comes from an address of its sender, which a proxied one is not.
  const own = isLocal || linkLocal === undefined ? undefined : parseAddress(linkLocal);
  const source = own ? addressBytes(own) : address;
  const flags = (asker ? SOLICITED : 0) | (isLocal ? OVERRIDE : 0);
  const message = Buffer.concat([
    Buffer.from([NEIGHBOR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0]),
    address,
    Buffer.from([TARGET_LINK_LAYER_ADDRESS, 1]),
    mac,
  ]);
  const packet = encodeIcmpv6(source, asker ? addressBytes(asker) : ALL_NODES, message);
  const destination = asker ? askerMac : ALL_NODES_MAC;
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_IPV6 }, packet);
}
