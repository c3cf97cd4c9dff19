import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_FORWARDING, forwardingOf, isSameForwarding, parseNote } from "./forwarding";
import type { Trail } from "./trail";

const IP = "10.20.30.1";

function forward(
  nodes: readonly string[],
  options: { readonly gone?: string; readonly notesAll?: boolean } = {},
) {
  const { gone, ...more } = options;
  const trails = new Map([[IP, { epoch: 7, nodes }]]);
  return forwardingOf(trails, {
    ...{ me: "n2", used: trails, ...more },
    isReachable: node => node !== gone,
    wayTo: node => (node === "n9" ? undefined : `way to ${node}`),
  });
}

describe("forwardingOf", () => {
  it.each([
    ["who had the address alone does nothing", ["n2"], undefined],
    ["who never had it does nothing", ["n1", "n3"], undefined],
    ["the owner sends to the one before it", ["n2", "n1", "n3"], "way to n1"],
    ["a former owner to the one before itself", ["n1", "n2", "n3"], "way to n3"],
    ["the first of all has nobody to send to", ["n1", "n3", "n2"], undefined],
    ["who cannot be reached directly is left out", ["n2", "n9", "n3"], "way to n3"],
  ])("%s", (_, nodes, expected) => {
    expect(forward(nodes).previous.get(IP)).toBe(expected);
  });

  it("leaves out nodes that are gone", () => {
    expect(forward(["n2", "n1", "n3"], { gone: "n1" }).previous.get(IP)).toBe("way to n3");
    expect(forward(["n2", "n1"], { gone: "n1" }).previous.size).toBe(0);
  });

  it("holds what it had, also as the first of all; what others had only for the notes of a restart", () => {
    expect([...forward(["n1", "n2"]).held]).toEqual([[IP, "7 n1 ."]]);
    expect(forward(["n1", "n3"]).held.size).toBe(0);
    const noted = forward(["n1", "n3"], { notesAll: true });
    expect([...noted.held]).toEqual([[IP, "7 n1 n3"]]);
    expect(noted.previous.size).toBe(0);
  });

  it("notes what fits into a comment, and reads it again", () => {
    const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 2, maxLength: 8 }),
        fc.nat(0xffff_ffff),
        (nodes, epoch) => {
          const me = nodes[0]!;
          const trails = new Map([[IP, { epoch, nodes }]]);
          const options = { me, used: trails, isReachable: () => true, wayTo: () => undefined };
          const note = forwardingOf(trails, options).held.get(IP)!;
          expect(note.length).toBeLessThan(128);
          const known = parseNote(me, note) as Trail;
          expect(known.epoch).toBe(epoch);
          expect(known.nodes).toEqual(nodes.slice(0, known.nodes.length));
          expect(known.nodes.length).toBeGreaterThan(1);
        },
      ),
    );
  });

  it.each(["", "x", "-1 n2", "1e9 n2", "12345678901 n2"])("reads nothing from %j", text => {
    expect(parseNote("n1", text)).toBeUndefined();
  });
});

describe("isSameForwarding", () => {
  it("sees what is more, less and other", () => {
    const one = forward(["n2", "n1"]);
    expect(isSameForwarding(one, forward(["n2", "n1"]))).toBe(true);
    for (const other of [NO_FORWARDING, forward(["n2", "n3"]), forward(["n2", "n1", "n3"])]) {
      expect(isSameForwarding(one, other)).toBe(false);
      expect(isSameForwarding(other, one)).toBe(false);
    }
  });
});
