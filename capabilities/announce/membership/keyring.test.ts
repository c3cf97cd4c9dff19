import { describe, expect, it } from "vitest";
import { ACCEPT_FORMER_MS, SIGN_FORMER_MS, deriveKey, keyringAt, nextKeys } from "./keyring";

const OLD = deriveKey(Buffer.alloc(128, 1))!;
const NEW = deriveKey(Buffer.alloc(128, 2))!;

describe("deriveKey", () => {
  it("makes the same key of the same secret, and another one of another", () => {
    expect(deriveKey(Buffer.alloc(128, 1))).toEqual(OLD);
    expect(NEW.id).not.toBe(OLD.id);
    expect(NEW.secret).not.toEqual(OLD.secret);
    expect(OLD.secret).toHaveLength(32);
  });

  it("makes none of a secret that is empty or short", () => {
    expect(deriveKey(Buffer.alloc(0))).toBeUndefined();
    expect(deriveKey(Buffer.alloc(15))).toBeUndefined();
    expect(deriveKey(Buffer.alloc(16))).toBeDefined();
  });
});

describe("keyringAt", () => {
  const first = nextKeys(undefined, OLD, 0);
  const rotated = nextKeys(first, NEW, 1000);

  it("the only key signs and is accepted, for ever", () => {
    const only = { keyring: { sign: OLD, accept: [OLD] }, changesAt: undefined };
    expect(keyringAt(first, 5)).toEqual(only);
    expect(nextKeys(first, OLD, 5)).toBe(first);
  });

  it("accepts both after a change; the former signs until all know the new one, and then goes", () => {
    const accept = [NEW, OLD];
    const signing = 1000 + SIGN_FORMER_MS;
    const accepting = 1000 + ACCEPT_FORMER_MS;
    expect(keyringAt(rotated, 1000)).toEqual({
      keyring: { sign: OLD, accept },
      changesAt: signing,
    });
    expect(keyringAt(rotated, signing)).toEqual({
      keyring: { sign: NEW, accept },
      changesAt: accepting,
    });
    expect(keyringAt(rotated, accepting)).toEqual({
      keyring: { sign: NEW, accept: [NEW] },
      changesAt: undefined,
    });
  });

  it("no packet is lost, however much later one node sees the change than the other", () => {
    for (let delay = 0; delay <= SIGN_FORMER_MS; delay += 500) {
      for (let now = 1000; now < 1000 + 2 * ACCEPT_FORMER_MS; now += 500) {
        const early = keyringAt(rotated, now).keyring;
        const seen = now >= 1000 + delay;
        const history = seen ? nextKeys(first, NEW, 1000 + delay) : first;
        const late = keyringAt(history, now).keyring;
        expect(late.accept).toContain(early.sign);
        expect(early.accept).toContain(late.sign);
      }
    }
  });
});
