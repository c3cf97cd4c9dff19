import { describe, expect, it } from "vitest";
import type { AddressPlan, Plan } from "../plan";
import { dutiesOf } from "./duties";
import type { DutiesInput } from "./duties";

const IP = "172.30.0.240";
const CONFLICT = { mac: "02:00:00:00:00:99", interface: "eth0", isInUse: true };

function plan(...owners: readonly (readonly [string, string])[]): Plan {
  const addresses = owners.map(([address, owner]): [string, AddressPlan] => [
    address,
    { address, owner, interfaces: ["eth0"], services: [] },
  ]);
  return { addresses: new Map(addresses), verdicts: [], groups: [] };
}

const INPUT: DutiesInput = {
  plan: plan([IP, "n1"]),
  me: "n1",
  alive: new Set(["n2", "n1"]),
  heldEver: new Set(),
  heldByOthers: new Set(),
  vips: [],
};
const ask = (over: Partial<DutiesInput> = {}) => dutiesOf({ ...INPUT, ...over }).get(IP);

describe("dutiesOf", () => {
  it("an address of which nobody was heard, and whose VirtualIP names nobody, is used first", () => {
    expect(ask()).toEqual({ interfaces: ["eth0"], isFirstUse: true, isShared: false });
    expect(ask({ vips: [{ address: IP, isAnswered: false }] })?.isFirstUse).toBe(true);
  });

  it("one that was answered for is not, by what was heard or by its VirtualIP", () => {
    expect(ask({ heldEver: new Set([IP]) })?.isFirstUse).toBe(false);
    expect(ask({ vips: [{ address: IP, isAnswered: true }] })?.isFirstUse).toBe(false);
  });

  it("tells what its VirtualIP says of a stranger, and whether others answer", () => {
    const vips = [{ address: IP, isAnswered: true, conflict: CONFLICT }];
    expect(ask({ vips })?.known).toEqual(CONFLICT);
    expect(ask({ heldByOthers: new Set([IP]) })?.isShared).toBe(true);
  });

  it("leaves the addresses of others to them", () => {
    expect(ask({ plan: plan([IP, "n2"]) })).toBeUndefined();
  });

  it("the first node that is alive looks after what has a stranger and no owner", () => {
    const vips = [{ address: IP, isAnswered: false, conflict: CONFLICT }];
    expect(ask({ plan: plan(), vips })).toEqual({
      ...{ interfaces: "all", isFirstUse: false, isShared: false },
      known: { ...CONFLICT, isInUse: false },
    });
    expect(ask({ plan: plan(), vips, alive: new Set(["n0", "n1"]) })).toBeUndefined();
    const free = [{ address: IP, isAnswered: false }];
    expect(ask({ plan: plan(), vips: free })).toBeUndefined();
  });
});
