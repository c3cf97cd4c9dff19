/** An Ethernet hardware address, 6 bytes. */
export type Mac = Uint8Array;

export const BROADCAST_MAC: Mac = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Reads "02:00:00:00:00:01"; undefined for anything else. */
export function parseMac(text: string): Mac | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)
    ? Buffer.from(text.replaceAll(":", ""), "hex")
    : undefined;
}

/** Writes a hardware address in lower case with colons. */
export function formatMac(mac: Mac): string {
  return [...mac].map(byte => byte.toString(16).padStart(2, "0")).join(":");
}

/** An untagged Ethernet II frame. Short payloads are padded by the driver, not here. */
export function encodeFrame(
  header: { readonly destination: Mac; readonly source: Mac; readonly type: number },
  payload: Uint8Array,
): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(header.type);
  return Buffer.concat([header.destination, header.source, type, payload]);
}
