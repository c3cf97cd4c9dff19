import { describe, expect, it } from "vitest";
import { parseConfig } from "./config";

const FILE = `
as: 64500
routerId: 10.0.0.2
peers:
  - address: 10.0.0.1
    as: 64501
    routes: [{ prefixes: [192.0.2.1/32], communities: ["64500:7"] }]
`;

describe("a file for bgp-ts speak", () => {
  it("is YAML or JSON", () => {
    const config = parseConfig(FILE);
    expect(config).toMatchObject({ as: 64500, peers: [{ address: "10.0.0.1" }], routes: [] });
    expect(parseConfig(JSON.stringify(config))).toEqual(config);
  });

  it.each<[what: string, from: string | RegExp, to: string, message: RegExp]>([
    ["a router ID", "10.0.0.2", "0.0.0.0", /^routerId: is 0\.0\.0\.0$/],
    ["an address", "10.0.0.1", "10.0.0.300", /^peers\[0\]\.address: is no IP address$/],
    ["no address", "address: 10.0.0.1", "port: 179", /^peers\[0\]: has to have an address or/],
    [
      "a prefix",
      "192.0.2.1/32",
      "192.0.2.1/33",
      /^peers\[0\]\.routes\[0\]\.prefixes\[0\]: is no IP prefix$/,
    ],
    ["a community", "64500:7", "70000:7", /^peers\[0\]\.routes\[0\]: .*70000/],
    ["a field", "as: 64501", "asn: 64501", /Unrecognized key: "asn"/],
    [
      "a hold time",
      "as: 64501",
      "as: 64501\n    holdTime: 2",
      /holdTime: is neither 0 nor at least 3/,
    ],
    [
      "an interval of BFD",
      "as: 64501",
      "as: 64501\n    bfd: { transmitInterval: 0 }",
      /^peers\[0\]\.bfd\.transmitInterval: /,
    ],
    ["all of it", /[^]*/, "[]", /^the file: .*expected object/],
  ])("bgp 2: is refused for %s, with where and what", (_what, from, to, message) => {
    expect(() => parseConfig(FILE.replace(from, to))).toThrow(message);
  });
});
