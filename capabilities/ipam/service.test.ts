import { describe, expect, it } from "vitest";
import { ip, serviceOf } from "./fixtures";
import {
  includesAddress,
  inFamilyOrder,
  isOurs,
  parseAddresses,
  sameAddresses,
  serviceTitle,
  statusAddresses,
} from "./service";

describe("isOurs", () => {
  it.each<[string | undefined, string | undefined, boolean]>([
    [undefined, undefined, true],
    [undefined, "foo", false],
    ["foo", undefined, false],
    ["bar", "foo", false],
    ["foo", "foo", true],
  ])("metallb 153: class %s, and we serve %s: %s", (asked, served, ours) => {
    const spec = asked === undefined ? {} : { loadBalancerClass: asked };
    expect(isOurs(serviceOf("shop/web", { spec }), served)).toBe(ours);
  });

  it("is for Services of type LoadBalancer only", () => {
    expect(isOurs(serviceOf("shop/web", { spec: { type: "NodePort" } }), undefined)).toBe(false);
    expect(isOurs(undefined, undefined)).toBe(false);
    expect(isOurs({}, undefined)).toBe(false);
  });
});

describe("serviceTitle", () => {
  it("is namespace and name, or what is known of them", () => {
    expect(serviceTitle(serviceOf("shop/web"))).toBe("shop/web");
    expect(serviceTitle({ metadata: { generateName: "web-" } }, "shop")).toBe("shop/web-*");
    expect(serviceTitle({ metadata: { name: "web" } })).toBe("default/web");
  });
});

describe("addresses of a Service", () => {
  it("are those of the status, without host names and repetitions", () => {
    const service = serviceOf("shop/web", { status: ["10.0.0.1", "10.0.0.1", "fd00::1"] });
    service.status?.loadBalancer?.ingress?.push({ hostname: "example.org" });
    expect(statusAddresses(service)).toEqual([ip("10.0.0.1"), ip("fd00::1")]);
    expect(statusAddresses(undefined)).toEqual([]);
  });

  it("are the same however they are written, and in whatever order", () => {
    const { addresses, wrong } = parseAddresses(["FD00:0::1", "fd00::1", "10.0.0.1", "x", ""]);
    expect(addresses).toEqual([ip("fd00::1"), ip("10.0.0.1")]);
    expect(wrong).toEqual(["x", ""]);
    expect(sameAddresses(addresses, [ip("10.0.0.1"), ip("fd00::1")])).toBe(true);
    expect(sameAddresses(addresses, [ip("10.0.0.1")])).toBe(false);
    expect(includesAddress(addresses, ip("10.0.0.2"))).toBe(false);
  });

  it("are shown with IPv4 first", () => {
    expect(inFamilyOrder([ip("fd00::1"), ip("10.0.0.1")])).toEqual([ip("10.0.0.1"), ip("fd00::1")]);
  });
});
