import { describe, expect, it } from "vitest";
import type { ServiceL2Status } from "../../config/kinds/service-l2-status";
import type { VirtualIP } from "../../config/kinds/virtual-ip";
import type { Link } from "../layer2/kernel-state";
import { serviceStatusOps } from "./service-l2-status";
import type { ServiceStatusInput } from "./service-l2-status";
import type { StatusOp } from "./status-ops";
import { isOutdone, virtualIpPatch } from "./virtual-ip-status";
import type { AddressStatus } from "./virtual-ip-status";

const IP = "172.30.0.240";
const LINK = { index: 2, name: "eth0", mac: "02:30:00:00:00:0b" } as Link;
const AT = "2026-01-02T03:04:05.000Z";

function vip(intendedOwner?: object): VirtualIP {
  return {
    metadata: { name: IP },
    spec: { address: IP, pool: "lan", reason: "", holders: [] },
    status: intendedOwner ? { intendedOwner } : {},
  } as VirtualIP;
}

function owned(over: Partial<AddressStatus> = {}): AddressStatus {
  const move = { address: IP, from: "n2", to: "n1", cause: "n2 went silent", at: AT };
  return { owner: "n1", bindings: [{ address: IP, link: LINK, mode: "proxy" }], move, ...over };
}

describe("virtualIpPatch", () => {
  const mine = {
    ...{ node: "n1", mac: LINK.mac, interface: "eth0", mode: "proxy" },
    since: "before",
  };

  it("the owner writes itself and the move, from the node that the object names", () => {
    expect(virtualIpPatch(vip({ node: "n3" }), "n1", owned())).toEqual({
      status: {
        protocol: "layer2",
        intendedOwner: {
          ...{ node: "n1", mac: LINK.mac, interface: "eth0", mode: "proxy" },
          since: AT,
        },
        lastMove: {
          ...{ from: "n3", to: "n1", cause: "n2 went silent", at: AT },
          ...{ answeredIn: null, convergedIn: null },
        },
      },
    });
  });

  it("the first owner comes from nowhere", () => {
    const first = { address: IP, to: "n1", cause: "first owner", at: AT };
    expect(virtualIpPatch(vip(), "n1", owned({ move: first }))).toMatchObject({
      status: { lastMove: { from: null, to: "n1" } },
    });
  });

  it("says nothing that is said already, and keeps since when only the interface changes", () => {
    expect(virtualIpPatch(vip(mine), "n1", owned())).toBeUndefined();
    expect(virtualIpPatch(vip({ ...mine, mac: "old" }), "n1", owned())).toEqual({
      status: { intendedOwner: { mac: LINK.mac, interface: "eth0", mode: "proxy" } },
    });
    const bindings = [{ address: IP, link: LINK, mode: "packet" as const }];
    expect(virtualIpPatch(vip(mine), "n1", owned({ bindings }))).toMatchObject({
      status: { intendedOwner: { mode: "packet" } },
    });
  });

  it("only the owner writes, and only once its kernel answers", () => {
    expect(virtualIpPatch(vip(mine), "n2", owned())).toBeUndefined();
    expect(virtualIpPatch(vip(), "n1", owned({ bindings: [] }))).toBeUndefined();
  });

  it("adds how long the move took when that is known, and only to that move", () => {
    const lastMove = { to: "n1", cause: "", at: AT, answeredIn: "4ms" };
    const told = { ...vip(mine), status: { intendedOwner: mine, lastMove } } as VirtualIP;
    const move = { address: IP, to: "n1", cause: "", at: AT, answeredMs: 4.2 };
    expect(virtualIpPatch(told, "n1", owned({ move }))).toBeUndefined();
    const over = { ...move, convergedMs: 1254 };
    expect(virtualIpPatch(told, "n1", owned({ move: over }))).toEqual({
      status: { lastMove: { answeredIn: "4ms", convergedIn: "1.25s" } },
    });
    const later = { ...over, at: "2026-01-02T03:05:00.000Z" };
    expect(virtualIpPatch(told, "n1", owned({ move: later }))).toBeUndefined();
  });

  it("the observer writes whom it sees when that is somebody else, and not each time it looks", () => {
    const sight = { text: "n1", node: "n1", mac: LINK.mac, at: AT };
    const asked = owned({ bindings: [], sight });
    expect(virtualIpPatch(vip(mine), "n2", asked)).toEqual({
      status: {
        seen: "n1",
        observedOwner: { node: "n1", mac: LINK.mac, interface: null, seenBy: "n2", since: AT },
      },
    });
    const told = { ...vip(mine), status: { intendedOwner: mine, seen: "n1" } } as VirtualIP;
    expect(virtualIpPatch(told, "n2", asked)).toBeUndefined();
    const gone = owned({ bindings: [], sight: { text: "nobody", at: AT } });
    expect(virtualIpPatch(told, "n2", gone)).toMatchObject({
      status: { seen: "nobody", observedOwner: { node: null, mac: null } },
    });
  });

  it("writes the stranger that has the address once, and takes it out when that one is gone", () => {
    const conflict = { mac: "02:00:00:00:00:99", since: AT, isInUse: true };
    const still = owned({ conflict });
    expect(virtualIpPatch(vip(mine), "n1", still)).toEqual({ status: { conflict } });
    const told = { ...vip(mine), status: { intendedOwner: mine, conflict } } as VirtualIP;
    expect(virtualIpPatch(told, "n1", still)).toBeUndefined();
    // Who has not settled it leaves it: it may be the report of another node.
    expect(virtualIpPatch(told, "n1", owned())).toBeUndefined();
    expect(virtualIpPatch(told, "n1", owned({ settled: "02:00:00:00:00:98" }))).toBeUndefined();
    const over = owned({ settled: conflict.mac });
    expect(virtualIpPatch(told, "n1", over)).toEqual({ status: { conflict: null } });
    expect(virtualIpPatch(vip(mine), "n1", over)).toBeUndefined();
  });

  it("the last owner takes its name off when nobody is to answer any more", () => {
    const nobody = owned({ owner: undefined, bindings: [] });
    expect(virtualIpPatch(vip(mine), "n1", nobody)).toEqual({
      status: { protocol: null, intendedOwner: null, observedOwner: null, seen: null },
    });
    expect(virtualIpPatch(vip(mine), "n2", nobody)).toBeUndefined();
    expect(virtualIpPatch(vip(), "n1", nobody)).toBeUndefined();
  });
});

describe("a LAN in two halves that both reach the API server", () => {
  type Side = { readonly me: string; readonly at: string; readonly unheard: ReadonlySet<string> };
  const first = { me: "n1", at: "2026-01-02T03:04:05.000Z", unheard: new Set(["n2"]) };
  const second = { me: "n2", at: "2026-01-02T03:04:05.100Z", unheard: new Set(["n1"]) };
  const address = ({ me, at, unheard }: Side, over: Partial<AddressStatus> = {}): AddressStatus =>
    owned({
      ...{ owner: me, move: { address: IP, to: me, cause: "went silent", at }, unheard },
      ...{ sight: { text: me, node: me, at } },
      ...over,
    });

  /** Each writes whenever the other has written. */
  function settle(begin: VirtualIP, sides: readonly Side[]): { vip: VirtualIP; writes: number } {
    let [present, writes, quiet] = [begin, 0, 0];
    for (let turn = 0; quiet < sides.length && turn < 20; turn++) {
      const side = sides[turn % sides.length]!;
      const patch = virtualIpPatch(present, side.me, address(side));
      quiet = patch ? 0 : quiet + 1;
      if (!patch) continue;
      writes += 1;
      present = { ...present, status: { ...present.status, ...patch.status } };
    }
    return { vip: present, writes };
  }

  it("do not write in turns: the one that took the address last has said so", () => {
    for (const sides of [
      [first, second],
      [second, first],
    ]) {
      const { vip: said, writes } = settle(vip({ node: "n3", since: "2026-01-01" }), sides);
      expect(writes).toBeLessThanOrEqual(3);
      expect(said.status).toMatchObject({ intendedOwner: { node: "n2" }, seen: "n2" });
      expect(isOutdone(said, address(first))).toBe(true);
      expect(isOutdone(said, address(second))).toBe(false);
    }
  });

  it("the one that has it when they are one again says so, whenever it took it", () => {
    const { vip: said } = settle(vip(), [first, second]);
    const after = address(first, { unheard: new Set() });
    expect(virtualIpPatch(said, "n1", after)).toMatchObject({
      status: { intendedOwner: { node: "n1" }, seen: "n1" },
    });
  });

  it("a node that took it before and is not heard is gone, as far as anybody can know", () => {
    const said = vip({ node: "n2", since: "2026-01-02T03:04:04.999Z" });
    expect(virtualIpPatch(said, "n1", address(first))).toBeDefined();
  });
});

describe("serviceStatusOps", () => {
  const base = { service: "default/web", me: "n1", namespace: "metallb-system", present: [] };
  const mine: ServiceStatusInput = { ...base, owners: new Set(["n1"]), interfaces: ["eth0"] };

  /** The objects after the operations, as the API server would have them. */
  function after(
    present: readonly ServiceL2Status[],
    ops: readonly StatusOp<ServiceL2Status>[],
  ): ServiceL2Status[] {
    return ops.reduce(
      (objects, op) => {
        const keyOf = ({ metadata }: ServiceL2Status): string =>
          `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
        if (op.op === "create") return [...objects, op.object];
        if (op.op === "delete") return objects.filter(object => keyOf(object) !== op.key);
        return objects.map(object =>
          keyOf(object) === op.key ? { ...object, ...op.patch } : object,
        );
      },
      [...present],
    );
  }

  const created = after([], serviceStatusOps(mine));

  it("creates one object in MetalLB's form, owned by the pod", () => {
    const pod = { name: "announcer-x", uid: "u" };
    const [object] = after([], serviceStatusOps({ ...mine, pod }));
    expect(object?.metadata).toMatchObject({
      namespace: "metallb-system",
      labels: {
        "metallb.io/node": "n1",
        "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "default",
      },
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", ...pod }],
    });
    expect(object?.metadata.name).toMatch(/^l2-/);
    expect(object?.status).toEqual({
      node: "n1",
      serviceName: "web",
      serviceNamespace: "default",
      interfaces: [{ name: "eth0" }],
    });
  });

  it("is content with what is right and follows the interfaces", () => {
    expect(serviceStatusOps({ ...mine, present: created })).toEqual([]);
    const ops = serviceStatusOps({ ...mine, present: created, interfaces: ["eth1"] });
    expect(after(created, ops)[0]?.status?.interfaces).toEqual([{ name: "eth1" }]);
  });

  it("the new owner removes the former one's, and the former one its own", () => {
    const successor = { ...mine, me: "n2", owners: new Set(["n2"]), present: created };
    const left = after(created, serviceStatusOps(successor));
    expect(left.map(({ status }) => status?.node)).toEqual(["n2"]);
    expect(serviceStatusOps({ ...mine, owners: new Set(["n2"]), present: created })).toHaveLength(
      1,
    );
    expect(serviceStatusOps({ ...mine, owners: new Set(), present: left })).toEqual([]);
  });

  it("two nodes that each answer for one family leave each other's alone", () => {
    const owners = new Set(["n1", "n2"]);
    const both = after(created, serviceStatusOps({ ...mine, me: "n2", owners, present: created }));
    expect(both).toHaveLength(2);
    expect(serviceStatusOps({ ...mine, owners, present: both })).toEqual([]);
  });

  it("removes what a node that is not heard said before it took over, and not what that says afterwards", () => {
    const successor = {
      ...{ ...mine, me: "n2", owners: new Set(["n2"]), unheard: new Set(["n1"]) },
      since: "2026-01-02T03:04:05.600Z",
    };
    const at = (creationTimestamp: string): ServiceL2Status[] =>
      created.map(object => ({
        ...object,
        metadata: { ...object.metadata, creationTimestamp: new Date(creationTimestamp) },
      }));
    const left = (present: readonly ServiceL2Status[], over = {}) =>
      after(present, serviceStatusOps({ ...successor, present, ...over })).length;
    expect(left(at("2026-01-02T03:04:04Z"))).toBe(1);
    expect(left(at("2026-01-02T03:04:05Z"))).toBe(2);
    expect(left(at("2026-01-02T03:04:05Z"), { unheard: new Set() })).toBe(1);
  });

  it("leaves other Services' objects alone", () => {
    const other = after([], serviceStatusOps({ ...mine, service: "default/other" }));
    expect(after(other, serviceStatusOps({ ...mine, present: other }))).toHaveLength(2);
  });

  it("a node name too long for a label's value is cut", () => {
    const long = `${"a".repeat(62)}.${"b".repeat(20)}`;
    const [object] = after([], serviceStatusOps({ ...mine, me: long, owners: new Set([long]) }));
    expect(object?.metadata.labels?.["metallb.io/node"]).toBe("a".repeat(62));
    expect(object?.status?.node).toBe(long);
  });
});
