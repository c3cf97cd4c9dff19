import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** More than any heartbeat has, so that the buffer hardly ever grows. */
const USUAL_BYTES = 1500;

type Pads = { inner: Buffer; readonly outer: Buffer };
const padsOf = new WeakMap<Uint8Array, Pads>();

/**
 * HMAC-SHA256 (RFC 2104) by two one-shot hashes, with the key's part of both kept. Each of `createHmac` makes a
 * stream, which for the some hundred bytes of a heartbeat costs more than the hashing and is most of the garbage.
 *
 * @param key at most 64 bytes, which do not change; longer ones RFC 2104 hashes first, and nobody here has them
 */
export function hmacSha256(key: Uint8Array, body: Uint8Array): Buffer {
  const pads = padsOf.get(key) ?? prepare(key);
  const end = BLOCK_BYTES + body.length;
  if (pads.inner.length < end) {
    pads.inner = Buffer.concat([pads.inner.subarray(0, BLOCK_BYTES)], end);
  }
  pads.inner.set(body, BLOCK_BYTES);
  pads.outer.set(hash("sha256", pads.inner.subarray(0, end), "buffer"), BLOCK_BYTES);
  return hash("sha256", pads.outer, "buffer");
}

function prepare(key: Uint8Array): Pads {
  if (key.length > BLOCK_BYTES) throw new Error(`a key of ${key.length} bytes: at most 64 fit`);
  const inner = Buffer.alloc(BLOCK_BYTES + USUAL_BYTES, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
  for (const [at, byte] of key.entries()) {
    inner.writeUInt8(byte ^ 0x36, at);
    outer.writeUInt8(byte ^ 0x5c, at);
  }
  const pads = { inner, outer };
  padsOf.set(key, pads);
  return pads;
}
