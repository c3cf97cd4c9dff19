import { describe, expect, it } from "vitest";
import { DEFAULT_EXCLUDES, chooseInterfaces } from "./interfaces";
import type { WantedInterfaces } from "./interfaces";
import type { Link } from "./kernel-state";

const link = (name: string, over: Partial<Link> = {}): Link => ({
  index: 2,
  name,
  mac: "02:00:00:00:00:01",
  up: true,
  carrier: true,
  broadcast: true,
  noArp: false,
  loopback: false,
  ...over,
});

const excludes = DEFAULT_EXCLUDES.map(text => new RegExp(text));
const choose = (links: readonly Link[], wanted: WantedInterfaces = "all"): readonly string[] =>
  chooseInterfaces(links, wanted, excludes).map(({ name }) => name);

describe("chooseInterfaces", () => {
  it.each([
    ["down", { up: false }],
    ["without broadcast", { broadcast: false }],
    ["without ARP", { noArp: true }],
    ["a loopback", { loopback: true }],
    ["a port of a bridge or bond", { master: 7 }],
  ])("leaves out a link that is %s, even when it is asked for", (_, over) => {
    expect(choose([link("eth0", over), link("eth1")])).toEqual(["eth1"]);
    expect(choose([link("eth0", over)], ["eth0"])).toEqual([]);
  });

  it.each(["docker0", "veth12", "cni0", "cali9", "kube-ipvs0", "lxc3", "dummy0", "lo", "ancho0"])(
    "does not announce on %s of itself",
    name => {
      expect(choose([link(name), link("lan0")])).toEqual(["lan0"]);
    },
  );

  it("a named interface is taken also where the default list leaves it out, but never ancho0", () => {
    expect(choose([link("veth1"), link("ancho0"), link("eth0")], ["veth1", "ancho0"])).toEqual([
      "veth1",
    ]);
  });

  it("names are exact, and one that does not exist is nothing", () => {
    expect(choose([link("eth0"), link("eth01")], ["eth0", "eth9"])).toEqual(["eth0"]);
  });
});
