import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../wire/hex";
import { packet } from "../fixtures";
import { isSigned, signPacket } from "./authentication";
import { decodePacket, encodePacket } from "./packet";

const secret = Buffer.from("s3cret");

describe("digests (RFC 5880 6.7.3, 6.7.4)", () => {
  it.each([
    ["keyedMd5", "02", 16, "md5"],
    ["meticulousMd5", "03", 16, "md5"],
    ["keyedSha1", "04", 20, "sha1"],
    ["meticulousSha1", "05", 20, "sha1"],
  ] as const)("%s covers the packet with the padded key in place of the digest", (...row) => {
    const [kind, type, length, algorithm] = row;
    const section = { kind, keyId: 3, sequence: 258, digest: new Uint8Array(length) };
    const bytes = encodePacket(packet({ authentication: section }));
    const head = `20440${(3).toString()}${(32 + length).toString(16)}`;
    expect(toHex(bytes.subarray(0, 4))).toBe(head);
    const start = `${type}${(8 + length).toString(16)}030000000102`;
    expect(toHex(bytes.subarray(24, 32))).toBe(start);
    const padded = Buffer.concat([bytes.subarray(0, 32), secret, Buffer.alloc(length - 6)]);
    const digest = createHash(algorithm).update(padded).digest("hex");
    const signed = signPacket(bytes, kind, secret);
    expect(toHex(signed.subarray(32))).toBe(digest);
    expect(toHex(bytes.subarray(32))).toBe("00".repeat(length));
    expect(isSigned(signed, kind, secret)).toBe(true);
    expect(isSigned(signed, kind, Buffer.from("s3cre"))).toBe(false);
    // As sockets give it: a Buffer whose octets are a part of something larger.
    const received = Buffer.concat([Buffer.alloc(7), signed]).subarray(7);
    expect(isSigned(received, kind, secret)).toBe(true);
    expect(isSigned(received, kind, Buffer.from("s3cre"))).toBe(false);
    expect(decodePacket(received)).toMatchObject({
      value: { authentication: { ...section, digest: signed.subarray(32) } },
    });
  });

  it("a key that is too long for its digest is a fault of ours", () => {
    const section = { kind: "keyedSha1", keyId: 1, sequence: 1, digest: fromHex("") } as const;
    const bytes = encodePacket(packet({ authentication: section }));
    expect(() => signPacket(bytes, "keyedSha1", Buffer.alloc(21))).toThrow(RangeError);
  });
});
