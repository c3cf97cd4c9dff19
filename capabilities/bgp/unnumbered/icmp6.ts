/** The messages of RFC 4861 by which routers find each other. Pure; the kernel adds the checksum. */

export const IcmpType = { RouterSolicitation: 133, RouterAdvertisement: 134 } as const;

/** "Who is a router here?" (section 4.1) */
export const solicitation: Uint8Array = Uint8Array.from([
  ...[IcmpType.RouterSolicitation, 0, 0, 0],
  ...[0, 0, 0, 0],
]);

/**
 * "I am" (section 4.2). The lifetime is 0: hosts are not to take us for their default router, and
 * routers that look for a peer do not mind.
 */
export const advertisement: Uint8Array = Uint8Array.from([
  ...[IcmpType.RouterAdvertisement, 0, 0, 0],
  ...[64, 0, 0, 0],
  ...[0, 0, 0, 0],
  ...[0, 0, 0, 0],
]);

/** Octets of the shortest advertisement and solicitation. */
const MIN_LENGTH = { [134]: 16, [133]: 8 } as Readonly<Record<number, number>>;

/** The type of a message that section 6.1 lets one believe; undefined for others. */
export function trustedType(address: string, message: Uint8Array): number | undefined {
  const [type = 0, code] = message;
  const isWhole = message.length >= (MIN_LENGTH[type] ?? Infinity) && code === 0;
  const isLinkLocal = /^fe[89ab][0-9a-f]:/.test(address);
  return isWhole && isLinkLocal ? type : undefined;
}
