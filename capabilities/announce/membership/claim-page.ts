import { formatAddress, parseAddress } from "../../config/address";
import { addressBytes, addressFromBytes } from "../address-bytes";
import type { Claim } from "./membership";

/**
 * A part of the list of all that the sender answers for; the list's number changes with the list. The claims
 * stay as they are on the wire until somebody wants to know: nearly every page that is heard is known already.
 */
export type ClaimPage = {
  readonly list: number;
  /** This page's place, 0 to `pages` - 1. */
  readonly index: number;
  readonly pages: number;
  /** Claims, each: length(1) of the address, address, epoch(4), big endian. */
  readonly bytes: Uint8Array;
};

export const MAX_PAGES = 1024;
/** The claims of one page, so that a packet with all else at its longest fits IPv6's smallest MTU, bytes. */
export const PAGE_BYTES = 630;

const EPOCH_BYTES = 4;

/** Splits what a node answers for into pages that fit a packet each; at least one. */
export function pagesOf(list: number, claims: readonly Claim[]): readonly ClaimPage[] {
  const pages: Buffer[][] = [[]];
  let size = 0;
  for (const claim of claims) {
    const bytes = encodeClaim(claim);
    if (size + bytes.length > PAGE_BYTES) {
      pages.push([]);
      size = 0;
    }
    pages.at(-1)?.push(bytes);
    size += bytes.length;
  }
  return pages.map((parts, index) => {
    return { list, index, pages: pages.length, bytes: Buffer.concat(parts) };
  });
}

/** The page to send as the nth; they take turns. */
export function pageAt(pages: readonly ClaimPage[], nth: number): ClaimPage {
  return pages[nth % pages.length] ?? { list: 0, index: 0, pages: 1, bytes: new Uint8Array() };
}

/** True if the bytes are whole claims of IPv4 or IPv6 addresses. */
export function areClaims(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const length = bytes[at];
    if (length !== 4 && length !== 16) return false;
    at += 1 + length + EPOCH_BYTES;
  }
  return at === bytes.length;
}

/** The claims of a page that `areClaims` approved. */
export function claimsOf({ bytes }: ClaimPage): readonly Claim[] {
  const claims: Claim[] = [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < view.length) {
    const end = at + 1 + view.readUInt8(at);
    const address = addressFromBytes(view.subarray(at + 1, end));
    if (address) claims.push({ address: formatAddress(address), epoch: view.readUInt32BE(end) });
    at = end + EPOCH_BYTES;
  }
  return claims;
}

function encodeClaim({ address, epoch }: Claim): Buffer {
  const parsed = parseAddress(address);
  if (!parsed) throw new Error(`"${address}" is not an IP address`);
  const bytes = addressBytes(parsed);
  const tail = Buffer.alloc(EPOCH_BYTES);
  tail.writeUInt32BE(epoch);
  return Buffer.concat([Buffer.of(bytes.length), bytes, tail]);
}
