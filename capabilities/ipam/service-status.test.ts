import { describe, expect, it } from "vitest";
import { ip, serviceOf } from "./fixtures";
import { clearStatus, statusChange } from "./service-status";
import type { Outcome } from "./service-status";
import type { Service } from "./service";

const NOW = new Date("2026-01-01T00:00:00.123Z");
const served: Outcome = {
  addresses: [ip("1000::1"), ip("1.2.3.4")],
  pools: ["a", "a"],
  reason: "Assigned",
  problem: "",
  isStatusOurs: true,
};
const waits: Outcome = {
  addresses: [],
  pools: [],
  reason: "NoFreeAddress",
  problem: "no available IPs",
  isStatusOurs: true,
};
const merged = (service: Service, patch: object | undefined): Service => {
  const { metadata, status } = patch as Service;
  return {
    ...service,
    metadata: { ...service.metadata, ...metadata },
    status: { ...service.status, ...status },
  };
};

describe("a Service's status", () => {
  it("says the addresses, IPv4 first, the pool and a condition, and an event tells of it", () => {
    const { patch, events } = statusChange(serviceOf("shop/web"), served, NOW);
    expect(patch).toEqual({
      metadata: { annotations: { "metallb.io/ip-allocated-from-pool": "a" } },
      status: {
        loadBalancer: {
          ingress: [
            { ip: "1.2.3.4", ipMode: "VIP" },
            { ip: "1000::1", ipMode: "VIP" },
          ],
        },
        conditions: [
          {
            type: "AddressAssigned",
            status: "True",
            reason: "Assigned",
            message: "The Service has 1.2.3.4 and 1000::1",
            lastTransitionTime: "2026-01-01T00:00:00Z",
          },
        ],
      },
    });
    expect(events).toEqual([
      { type: "Normal", reason: "IPAllocated", message: 'Assigned IP ["1.2.3.4" "1000::1"]' },
    ]);
  });

  it.each([
    ["served", served],
    ["waiting", waits],
  ])("is not written again, nor told of again, while nothing changes: %s", (_, outcome) => {
    const service = serviceOf("shop/web");
    const { patch } = statusChange(service, outcome, NOW);
    const again = statusChange(merged(service, patch), outcome, new Date());
    expect(again).toEqual({ patch: undefined, events: [] });
  });

  it("metallb 90: is clean: a host name beside the address goes", () => {
    const service = serviceOf("shop/web");
    service.status = {
      loadBalancer: { ingress: [{ hostname: "foo.bar", ip: "1.2.3.4" }, { ip: "1000::1" }] },
    };
    const { patch } = statusChange(service, served, NOW);
    expect(patch).toMatchObject({ status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }, {}] } } });
  });

  it("keeps conditions of others and asks for the version it has seen", () => {
    const service = serviceOf("shop/web");
    const other = { type: "Announced", status: "True", reason: "x", message: "" };
    service.metadata = { ...service.metadata, resourceVersion: "7" };
    service.status = { conditions: [{ ...other, lastTransitionTime: NOW }] };
    const { patch } = statusChange(service, served, NOW);
    expect(patch).toMatchObject({
      metadata: { resourceVersion: "7" },
      status: { conditions: [{ type: "Announced" }, { type: "AddressAssigned" }] },
    });
  });

  it("is taken away only where it was ours", () => {
    const service = serviceOf("shop/web", { status: ["1.2.3.4"] });
    const ours = statusChange(service, waits, NOW);
    expect(ours.patch).toMatchObject({ status: { loadBalancer: null } });
    expect(ours.events.map(({ reason }) => reason)).toEqual([
      "ClearAssignment",
      "AllocationFailed",
    ]);
    const theirs = statusChange(service, { ...waits, isStatusOurs: false }, NOW);
    expect(theirs.patch).not.toHaveProperty("status.loadBalancer");
  });

  it("is cleared of what is ours, and of nothing else, when the Service is ours no more", () => {
    const service = serviceOf("shop/web", { status: ["1.2.3.4", "9.9.9.9"] });
    expect(clearStatus(service, [ip("1.2.3.4")])).toMatchObject({
      status: { loadBalancer: { ingress: [{ ip: "9.9.9.9" }] }, conditions: null },
    });
    expect(clearStatus(serviceOf("shop/web"), [])).toBeUndefined();
  });
});
