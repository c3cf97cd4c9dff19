import type { kind } from "kubernetes-fluent-client";
import { describe, expect, it } from "vitest";
import { nodeFacts, serviceFacts } from "./facts";
import type { ServiceFacts } from "./facts";

function slice(name: string, endpoints: readonly object[]): kind.EndpointSlice {
  const labels = { "kubernetes.io/service-name": "web" };
  return {
    metadata: { name, namespace: "default", labels },
    endpoints,
  } as unknown as kind.EndpointSlice;
}

function balancer(spec: object = {}, annotations: object = {}): kind.Service {
  return {
    metadata: { name: "web", namespace: "default", annotations },
    spec: { type: "LoadBalancer", ...spec },
    status: {
      loadBalancer: { ingress: [{ ip: "172.30.0.240" }, { hostname: "x" }, { ip: "FD00::0:1" }] },
    },
  } as unknown as kind.Service;
}

const at = (nodeName: string, conditions?: object): object => ({ nodeName, conditions });

function read(
  service: kind.Service,
  slices: readonly kind.EndpointSlice[] = [],
  loadBalancerClass?: string,
): ServiceFacts | undefined {
  return serviceFacts(service, slices, loadBalancerClass);
}

describe("serviceFacts", () => {
  it("metallb 108: nodes with an endpoint that serves, over all slices, each once", () => {
    const slices = [
      slice("a", [at("n1"), at("n1", { ready: true }), at("n2", { ready: false })]),
      slice("b", [
        at("n3", { ready: false, serving: true }),
        at("n4", { ready: true, serving: false }),
        at("n5", { ready: false, serving: false }),
      ]),
    ];
    expect(read(balancer(), slices)?.endpointNodes).toEqual(new Set(["n1", "n3", "n4"]));
  });

  it("metallb 115: several endpoints on a node count once", () => {
    const facts = read(balancer(), [slice("a", [at("iris1"), at("iris1"), at("iris2")])]);
    expect([...(facts?.endpointNodes ?? [])]).toEqual(["iris1", "iris2"]);
  });

  it("metallb 146: an address that is ready in one entry counts, though it is not in another", () => {
    const of = (...states: readonly boolean[]): boolean | undefined =>
      read(
        balancer(),
        states.map((ready, i) => slice(`web-${i}`, [at("n1", { ready })])),
      )?.hasEndpoint;
    expect(of(false, true)).toBe(true);
    expect(of(true, false)).toBe(true);
    expect(of(false, false)).toBe(false);
  });

  it("an endpoint outside the cluster counts for Cluster but is on no node", () => {
    const facts = read(balancer(), [slice("a", [{ addresses: ["192.0.2.1"] }])]);
    expect(facts).toMatchObject({ hasEndpoint: true, endpointNodes: new Set() });
    expect(read(balancer())).toMatchObject({ hasEndpoint: false });
  });

  it("takes the addresses in canonical text and leaves out entries with a hostname", () => {
    expect(read(balancer())?.addresses).toEqual(["172.30.0.240", "fd00::1"]);
  });

  it.each(["metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip"])(
    "metallb 122: %s with any value marks a shared address",
    key => {
      expect(read(balancer({}, { [key]: "" }))?.isShared).toBe(true);
    },
  );

  it("metallb 134: leaves Services of other types, without addresses and of other classes alone", () => {
    expect(read(balancer({ type: "ClusterIP" }))).toBeUndefined();
    expect(read({ ...balancer(), status: {} })).toBeUndefined();
    expect(read(balancer({ loadBalancerClass: "foo" }))).toBeUndefined();
    expect(read(balancer(), [], "foo")).toBeUndefined();
    expect(read(balancer({ loadBalancerClass: "foo" }), [], "foo")?.key).toBe("default/web");
  });

  it("tells Local from Cluster", () => {
    expect(read(balancer({ externalTrafficPolicy: "Local" }))?.isLocal).toBe(true);
    expect(read(balancer({ externalTrafficPolicy: "Cluster" }))?.isLocal).toBe(false);
  });
});

describe("nodeFacts", () => {
  it("reads labels, InternalIPs and NetworkUnavailable", () => {
    const node = {
      metadata: { name: "n1", labels: { rack: "a" } },
      status: {
        conditions: [{ type: "NetworkUnavailable", status: "True" }],
        addresses: [
          { type: "InternalIP", address: "172.30.0.11" },
          { type: "InternalIP", address: "fd00:0030::11" },
          { type: "Hostname", address: "n1" },
        ],
      },
    } as unknown as kind.Node;
    expect(nodeFacts(node)).toEqual({
      name: "n1",
      labels: { rack: "a" },
      isNetworkUnavailable: true,
      isOutOfService: false,
      notReadySince: undefined,
      addresses: ["172.30.0.11", "fd00:30::11"],
    });
  });

  it("reads since when a node is not Ready, and the taint of one that was shut down", () => {
    const read = (status: string, taints: readonly object[] = []) =>
      nodeFacts({
        metadata: { name: "n1" },
        spec: { taints },
        status: {
          conditions: [{ type: "Ready", status, lastTransitionTime: "2026-01-02T03:04:05Z" }],
        },
      } as unknown as kind.Node);
    expect(read("True").notReadySince).toBeUndefined();
    const since = Date.parse("2026-01-02T03:04:05Z");
    expect(read("False").notReadySince).toBe(since);
    expect(read("Unknown").notReadySince).toBe(since);
    const taint = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" };
    expect(read("True", [taint]).isOutOfService).toBe(true);
    expect(read("True", [{ ...taint, key: "other" }]).isOutOfService).toBe(false);
  });
});
