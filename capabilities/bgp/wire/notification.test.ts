import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "./hex";
import {
  decodeNotification,
  describeNotification,
  encodeNotification,
  shutdownNotification,
  shutdownText,
} from "./notification";

describe("NOTIFICATION", () => {
  it("is code, subcode and data (RFC 4271 4.5)", () => {
    const body = fromHex("02 01 0004");
    const notification = decodeNotification(body);
    expect(notification).toEqual({
      type: "notification",
      code: 2,
      subcode: 1,
      data: fromHex("0004"),
    });
    expect(encodeNotification(notification)).toEqual(body);
    expect(describeNotification(notification)).toBe("OpenMessage (2/1)");
  });

  it("keeps codes that are not known", () => {
    expect(describeNotification(decodeNotification(fromHex("c8 07")))).toBe("Unknown (200/7)");
  });
});

describe("shutdown communication (RFC 9003)", () => {
  it("is a length and UTF-8 text", () => {
    const notification = shutdownNotification(2, "bis später");
    expect(toHex(notification.data)).toBe("0b626973207370c3a4746572");
    expect(shutdownText(notification)).toBe("bis später");
    expect(describeNotification(notification)).toBe(
      "Cease/AdministrativeShutdown (6/2): bis später",
    );
  });

  it("is absent when there is nothing to say", () => {
    expect(shutdownNotification(4, "").data).toHaveLength(0);
    expect(shutdownText(shutdownNotification(4, ""))).toBeUndefined();
  });

  it("is cut between characters so that it fits 255 octets", () => {
    const text = shutdownText(shutdownNotification(2, "€".repeat(100)));
    expect(text).toBe("€".repeat(85));
    expect(shutdownText(shutdownNotification(2, `x${"€".repeat(100)}`))).toBe(`x${"€".repeat(84)}`);
  });

  it.each([
    ["length beyond the end", "06 02 05 68"],
    ["length before the end", "06 02 01 6869"],
    ["length 0", "06 02 00"],
    ["broken UTF-8", "06 02 02 c3 28"],
    ["a Cease of another kind", "06 03 02 6869"],
    ["another error", "02 02 02 6869"],
  ])("is undefined for %s", (_name, hex) => {
    expect(shutdownText(decodeNotification(fromHex(hex)))).toBeUndefined();
  });

  it("cannot forge lines in a log", () => {
    const text = shutdownText(shutdownNotification(2, "bye\nroot logged in\u2028\u0007"));
    expect(text).toBe("bye\uFFFDroot logged in\uFFFD\uFFFD");
  });

  it("brings any text across, up to its length", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }), text => {
        const notification = shutdownNotification(2, text);
        expect(notification.data.length).toBeLessThanOrEqual(256);
        const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\uFFFD");
        expect(plain.startsWith(shutdownText(notification) ?? "none")).toBe(true);
      }),
    );
  });
});
