import fc from "fast-check";
import type { kind } from "kubernetes-fluent-client";
import { describe, expect, it } from "vitest";
import { serviceFacts, serviceKeyOf } from "./facts";
import type { ServiceFacts } from "./facts";
import { createServiceIndex } from "./service-index";

function balancer(name: string, ip?: string, more: object = {}): kind.Service {
  const ingress = ip === undefined ? [] : [{ ip }];
  return {
    metadata: { name, namespace: "default" },
    spec: { type: "LoadBalancer" },
    status: { loadBalancer: { ingress }, ...more },
  } as unknown as kind.Service;
}

function slice(name: string, service: string | undefined, ...nodes: string[]): kind.EndpointSlice {
  const labels = service === undefined ? {} : { "kubernetes.io/service-name": service };
  return {
    metadata: { name, namespace: "default", labels },
    endpoints: nodes.map(nodeName => ({ nodeName, addresses: ["192.0.2.1"] })),
  } as unknown as kind.EndpointSlice;
}

describe("the index of Services", () => {
  it("tells what the plan depends on from what it does not", () => {
    const index = createServiceIndex(undefined);
    expect(index.takeService("default/web", balancer("web"))).toBe(false);
    expect(index.takeSlice("default/web-1", slice("web-1", "web"))).toBe(false);
    expect(index.takeService("default/web", balancer("web", "192.0.2.1"))).toBe(true);
    const list = index.list();
    expect(list).toMatchObject([{ key: "default/web", hasEndpoint: false }]);
    const conditions = [{ type: "Announced", status: "True" }];
    const told = balancer("web", "192.0.2.1", { conditions });
    expect(index.takeService("default/web", told)).toBe(false);
    expect(index.list()).toBe(list);
    expect(index.takeSlice("default/web-1", slice("web-1", "web", "n1"))).toBe(true);
    expect(index.list()).toMatchObject([{ hasEndpoint: true }]);
    expect(index.takeSlice("default/other-1", slice("other-1", "other", "n1"))).toBe(false);
    expect(index.takeService("default/web", undefined)).toBe(true);
    expect(index.list()).toEqual([]);
  });

  it("says at any time what reading everything anew would say", () => {
    const serviceName = fc.constantFrom("a", "b", "c");
    const sliceName = fc.constantFrom("x", "y", "z");
    const node = fc.constantFrom("n1", "n2");
    const change = fc.oneof(
      fc.record({
        service: serviceName,
        object: fc.option(fc.record({ ip: fc.constantFrom(undefined, "192.0.2.1", "192.0.2.2") }), {
          nil: undefined,
        }),
      }),
      fc.record({
        slice: sliceName,
        object: fc.option(
          fc.record({
            of: fc.option(serviceName, { nil: undefined }),
            nodes: fc.array(node, { maxLength: 2 }),
          }),
          { nil: undefined },
        ),
      }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), changes => {
        const index = createServiceIndex(undefined);
        const services = new Map<string, kind.Service>();
        const slices = new Map<string, kind.EndpointSlice>();
        for (const one of changes) {
          const before = readAll(services, slices);
          const held = index.list();
          const isNews =
            "service" in one
              ? index.takeService(
                  `default/${one.service}`,
                  put(services, one.service, one.object && balancer(one.service, one.object.ip)),
                )
              : index.takeSlice(
                  `default/${one.slice}`,
                  put(
                    slices,
                    one.slice,
                    one.object && slice(one.slice, one.object.of, ...one.object.nodes),
                  ),
                );
          const after = readAll(services, slices);
          expect(sorted(index.list())).toEqual(after);
          expect(isNews).toBe(JSON.stringify(plain(before)) !== JSON.stringify(plain(after)));
          expect(index.list() === held).toBe(!isNews);
        }
      }),
    );
  });
});

function put<T>(map: Map<string, T>, name: string, object: T | undefined): T | undefined {
  if (object) map.set(name, object);
  else map.delete(name);
  return object;
}

function readAll(
  services: ReadonlyMap<string, kind.Service>,
  slices: ReadonlyMap<string, kind.EndpointSlice>,
): readonly ServiceFacts[] {
  const found = [...services].flatMap(([name, service]) => {
    const own = [...slices.values()].filter(one => serviceKeyOf(one) === `default/${name}`);
    return serviceFacts(service, own, undefined) ?? [];
  });
  return sorted(found);
}

function sorted(list: readonly ServiceFacts[]): readonly ServiceFacts[] {
  return [...list].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Sets and maps as JSON has them. */
function plain(list: readonly ServiceFacts[]): unknown {
  return list.map(({ endpointNodes, endpointCounts, ...rest }) => [
    rest,
    [...endpointNodes].sort(),
    [...endpointCounts].sort(),
  ]);
}
