/** Bytes from hexadecimal digits; blanks and line breaks are for the reader. For tests and logs. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], pair => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, octet => octet.toString(16).padStart(2, "0")).join("");
}
