import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmacSha256 } from "./hmac";

const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
const body = fc.uint8Array({ maxLength: 3000, size: "max" });

describe("hmacSha256", () => {
  it("is what Node's own is, for keys and bodies of all lengths in turn", () => {
    fc.assert(
      fc.property(key, fc.array(body, { maxLength: 4 }), (secret, bodies) => {
        for (const one of bodies) {
          const expected = createHmac("sha256", secret).update(one).digest();
          expect(hmacSha256(secret, one).equals(expected)).toBe(true);
        }
      }),
    );
  });

  it("is that of RFC 4231, test case 2", () => {
    const mac = hmacSha256(Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?"));
    expect(mac.toString("hex")).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("refuses a key that is longer than a block", () => {
    expect(() => hmacSha256(new Uint8Array(65), Buffer.alloc(1))).toThrow("65 bytes");
  });
});
