import { describe, expect, it } from "vitest";
import { createKeptSocket } from "./kept-socket";

function setUp() {
  const wire: Uint8Array[] = [];
  const seen = { opened: 0, closed: 0 };
  let due: (() => void) | undefined;
  const kept = createKeptSocket({
    open: () => {
      seen.opened += 1;
      return { receive: () => wire.shift(), close: () => (seen.closed += 1) };
    },
    keepMs: 100,
    after: (_, callback) => {
      due = callback;
      return () => (due = undefined);
    },
  });
  return { kept, wire, seen, passTime: () => due?.() };
}

const FRAME = Uint8Array.of(1);

describe("createKeptSocket", () => {
  it("is one socket for several uses, and hears nothing that came between them", () => {
    const { kept, wire, seen } = setUp();
    const first = kept.open();
    wire.push(FRAME);
    expect(first.receive()).toBe(FRAME);
    first.close();
    wire.push(FRAME, FRAME);
    const second = kept.open();
    expect(second.receive()).toBeUndefined();
    wire.push(FRAME);
    expect(second.receive()).toBe(FRAME);
    expect(seen).toEqual({ opened: 1, closed: 0 });
  });

  it("is closed when nobody has used it for a while, and not while somebody does", () => {
    const { kept, seen, passTime } = setUp();
    kept.open().close();
    kept.open();
    passTime();
    expect(seen.closed).toBe(0);
    kept.open().close();
    passTime();
    kept.open();
    expect(seen).toEqual({ opened: 2, closed: 1 });
  });

  it("is closed at the end, kept or in use", () => {
    const { kept, seen, passTime } = setUp();
    kept.open().close();
    kept.stop();
    passTime();
    expect(seen.closed).toBe(1);
    kept.open();
    kept.stop();
    expect(seen.closed).toBe(2);
  });
});
