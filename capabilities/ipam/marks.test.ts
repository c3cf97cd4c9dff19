import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { ip, serviceOf } from "./fixtures";
import { assignedAddresses, isMarked, removeAllMarks, removeMarks, writeMarks } from "./marks";
import { marksPatch } from "./marks-patch";
import { parseRequest } from "./request";
import type { Service } from "./service";

const ASSIGNED = "ancho.dev/assigned";
const IPS = "metallb.io/loadBalancerIPs";
const LEGACY_IPS = "metallb.universe.tf/loadBalancerIPs";
const FROM_POOL = "metallb.io/ip-allocated-from-pool";

const v4 = ip("10.0.0.1");
const v6 = ip("fd00::1");
const texts = (addresses: readonly IpAddress[]): readonly string[] => addresses.map(formatAddress);

describe("the marks of our choice", () => {
  it("are the field that holds one address, for one", () => {
    const service = serviceOf("shop/web");
    writeMarks(service, [v4]);
    expect(service.spec?.loadBalancerIP).toBe("10.0.0.1");
    expect(service.metadata?.annotations).toEqual({ [ASSIGNED]: "10.0.0.1" });
  });

  it("are the annotation that holds two, for two, IPv4 first", () => {
    const service = serviceOf("shop/web");
    writeMarks(service, [v6, v4]);
    expect(service.spec).not.toHaveProperty("loadBalancerIP");
    const both = "10.0.0.1,fd00::1";
    expect(service.metadata?.annotations).toEqual({ [ASSIGNED]: both, [IPS]: both });
  });

  it("change places when a Service goes from two addresses to one, and back", () => {
    const service = serviceOf("shop/web");
    writeMarks(service, [v4, v6]);
    writeMarks(service, [v6]);
    expect(service.spec?.loadBalancerIP).toBe("fd00::1");
    expect(service.metadata?.annotations).toEqual({ [ASSIGNED]: "fd00::1" });
    writeMarks(service, [v4, v6]);
    expect(service.spec).not.toHaveProperty("loadBalancerIP");
  });

  it("are made on an object that has neither metadata nor spec", () => {
    const service: Service = {};
    writeMarks(service, [v4]);
    expect(service).toEqual({
      metadata: { annotations: { [ASSIGNED]: "10.0.0.1" } },
      spec: { loadBalancerIP: "10.0.0.1" },
    });
  });

  it.each<[string, Service, readonly string[], boolean]>([
    ["nothing", serviceOf("shop/web"), [], false],
    ["one", serviceOf("shop/web", { annotations: { [ASSIGNED]: "10.0.0.1" } }), ["10.0.0.1"], true],
    [
      "one of each, whatever is no address left out",
      serviceOf("shop/web", { annotations: { [ASSIGNED]: "fd00::1,nope,,10.0.0.1" } }),
      ["fd00::1", "10.0.0.1"],
      true,
    ],
    ["an empty mark", serviceOf("shop/web", { annotations: { [ASSIGNED]: "" } }), [], true],
  ])("are read: %s", (_, service, expected, marked) => {
    expect(texts(assignedAddresses(service))).toEqual(expected);
    expect(isMarked(service)).toBe(marked);
  });

  it("of no Service are none", () => {
    expect(assignedAddresses(undefined)).toEqual([]);
    expect(isMarked(undefined)).toBe(false);
  });
});

describe("what the user wrote", () => {
  it.each<[string, Service]>([
    ["another address in spec", serviceOf("s/w", { spec: { loadBalancerIP: "10.0.0.9" } })],
    ["addresses in the annotation", serviceOf("s/w", { annotations: { [IPS]: "10.0.0.9" } })],
    ["the legacy annotation", serviceOf("s/w", { annotations: { [LEGACY_IPS]: "10.0.0.9" } })],
    ["something that is no address", serviceOf("s/w", { spec: { loadBalancerIP: "web" } })],
    ["one of ours and one not", serviceOf("s/w", { annotations: { [IPS]: "10.0.0.1,fd00::9" } })],
  ])("stays when our marks go: %s", (_, service) => {
    const before = structuredClone(service);
    ((service.metadata ??= {}).annotations ??= {})[ASSIGNED] = "10.0.0.1";
    removeMarks(service);
    before.metadata!.annotations ??= {};
    expect(service).toEqual(before);
  });

  it("goes where it says what we chose, in whatever writing", () => {
    const service = serviceOf("s/w", {
      annotations: { [ASSIGNED]: "fd00::1", [LEGACY_IPS]: "FD00:0::1" },
      spec: { loadBalancerIP: "fd00:0:0::1" },
    });
    removeMarks(service);
    expect(service.spec).not.toHaveProperty("loadBalancerIP");
    expect(service.metadata?.annotations).toEqual({});
  });

  it("stays without any mark, also the name of the pool, until a Service has no address at all", () => {
    const service = serviceOf("s/w", { annotations: { [FROM_POOL]: "a", [ASSIGNED]: "10.0.0.1" } });
    removeMarks(service);
    expect(service.metadata?.annotations).toEqual({ [FROM_POOL]: "a" });
    removeAllMarks(service);
    expect(service.metadata?.annotations).toEqual({});
    removeAllMarks({});
  });
});

describe("marks of any addresses on any Service", () => {
  const user = fc.record(
    {
      spec: fc.constantFrom("10.0.0.9", "fd00::9", "web"),
      annotation: fc.constantFrom("10.0.0.9", "10.0.0.9,fd00::9", ""),
      other: fc.constant("kept"),
    },
    { requiredKeys: [] },
  );
  const addresses = fc.subarray([v4, v6], { minLength: 1 });
  const serviceFrom = ({ spec, annotation, other }: Record<string, string | undefined>): Service =>
    serviceOf("shop/web", {
      annotations: {
        ...(annotation === undefined ? {} : { [IPS]: annotation }),
        ...(other === undefined ? {} : { other }),
      },
      spec: spec === undefined ? {} : { loadBalancerIP: spec },
    });

  it("are read as written, are no request, and leave with nothing of ours left", () => {
    fc.assert(
      fc.property(addresses, fc.constantFrom({}, { other: "kept" }), (chosen, parts) => {
        const service = serviceFrom(parts);
        const before = structuredClone(service);
        writeMarks(service, chosen);
        expect(new Set(texts(assignedAddresses(service)))).toEqual(new Set(texts(chosen)));
        expect(parseRequest(service)).toMatchObject({ ok: true, request: { addresses: [] } });
        removeMarks(service);
        expect(service).toEqual(before);
      }),
    );
  });

  it("written twice are the same as once", () => {
    fc.assert(
      fc.property(addresses, user, (chosen, parts) => {
        const once = serviceFrom(parts);
        writeMarks(once, chosen);
        const twice = structuredClone(once);
        writeMarks(twice, chosen);
        expect(twice).toEqual(once);
      }),
    );
  });
});

describe("the patch of the marks", () => {
  it("holds for the version it was made for, and touches nothing else", () => {
    const service = serviceOf("shop/web", { annotations: { other: "kept" } });
    service.metadata!.resourceVersion = "7";
    const before = structuredClone(service);
    expect(marksPatch(service, [v4])).toEqual({
      metadata: {
        resourceVersion: "7",
        annotations: { [ASSIGNED]: "10.0.0.1", [IPS]: null },
      },
      spec: { loadBalancerIP: "10.0.0.1" },
    });
    expect(service).toEqual(before);
  });

  it("moves two addresses into the annotation, and takes the field away", () => {
    const service = serviceOf("shop/web", {
      annotations: { [ASSIGNED]: "10.0.0.1" },
      spec: { loadBalancerIP: "10.0.0.1" },
    });
    const both = "10.0.0.1,fd00::1";
    expect(marksPatch(service, [v4, v6])).toMatchObject({
      metadata: { annotations: { [ASSIGNED]: both, [IPS]: both } },
      spec: { loadBalancerIP: null },
    });
  });
});
