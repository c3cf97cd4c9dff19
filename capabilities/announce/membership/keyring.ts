import { createHash, hkdfSync } from "node:crypto";
import type { Key, Keyring } from "./membership";

/** A keyring that changes: a new key is accepted at once and used for signing when all others know it. */
export type KeyHistory = {
  readonly current: Key;
  readonly former?: { readonly key: Key; readonly since: number };
};

/**
 * How long after a new key was seen the former one still signs, ms. It covers the time in which all
 * announcers hear of the new one.
 */
export const SIGN_FORMER_MS = 10_000;
/** How long after a new key was seen the former one is still accepted, ms. */
export const ACCEPT_FORMER_MS = 60_000;

const SHORTEST_SECRET = 16;

/**
 * The key that a secret stands for: HKDF-SHA256 (RFC 5869), so that no other use of the same Secret, as
 * MetalLB's memberlist, can tell anything of it. Undefined for a secret of less than 16 bytes.
 */
export function deriveKey(secret: Uint8Array): Key | undefined {
  if (secret.length < SHORTEST_SECRET) return undefined;
  const bytes = new Uint8Array(hkdfSync("sha256", secret, "", "ancho heartbeat 2", 32));
  const id = createHash("sha256").update("id").update(bytes).digest().readUInt32BE(0);
  return { id, secret: bytes };
}

/** Takes in the key that the Secret holds now. */
export function nextKeys(before: KeyHistory | undefined, key: Key, now: number): KeyHistory {
  if (!before) return { current: key };
  if (before.current.id === key.id) return before;
  return { current: key, former: { key: before.current, since: now } };
}

/** The keys to use now, and when (ms) that changes next; undefined for never. */
export function keyringAt(
  { current, former }: KeyHistory,
  now: number,
): { readonly keyring: Keyring; readonly changesAt: number | undefined } {
  if (!former || now - former.since >= ACCEPT_FORMER_MS) {
    return { keyring: { sign: current, accept: [current] }, changesAt: undefined };
  }
  const accept = [current, former.key];
  return now - former.since < SIGN_FORMER_MS
    ? { keyring: { sign: former.key, accept }, changesAt: former.since + SIGN_FORMER_MS }
    : { keyring: { sign: current, accept }, changesAt: former.since + ACCEPT_FORMER_MS };
}
