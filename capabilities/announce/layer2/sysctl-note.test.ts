import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNote, parseNote } from "./sysctl-note";

describe("the note of former values", () => {
  it("keeps what serves proxying alone", () => {
    const former = new Map([
      ["ipv4/neigh/eth0/proxy_delay", "80"],
      ["ipv4/conf/eth0/forwarding", "0"],
      ["ipv6/conf/eth0.7/proxy_ndp", "0"],
    ]);
    const note = formatNote(former);
    expect(note).toBe("d4:eth0=80 n6:eth0.7=0");
    expect(parseNote(note)).toEqual(
      new Map([
        ["ipv4/neigh/eth0/proxy_delay", "80"],
        ["ipv6/conf/eth0.7/proxy_ndp", "0"],
      ]),
    );
  });

  it("fits the alias of a link, whatever the interfaces' names are, and reads back", () => {
    const name = fc.stringMatching(/^[!-.0-~]{1,15}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 30 }), fc.nat(9999), (names, value) => {
        const former = new Map(names.map(n => [`ipv6/neigh/${n}/proxy_delay`, String(value)]));
        const note = formatNote(former);
        expect(note.length).toBeLessThanOrEqual(255);
        const read = parseNote(note);
        for (const [path, was] of read) expect(former.get(path)).toBe(was);
        expect(read.size).toBeGreaterThanOrEqual(Math.min(names.length, 9));
      }),
    );
  });

  it("passes over what somebody else wrote", () => {
    expect(parseNote("uplink to rack 7, x1:eth0=1 d4:eth0=up")).toEqual(new Map());
  });
});
