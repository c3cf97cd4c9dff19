import { describe, expect, it } from "vitest";
import * as resource from "./resource";

const { endpointSlices, keyOf, nodes, objectPath, services, splitKey, withKind } = resource;

describe("keys", () => {
  it.each([
    [{ namespace: "shop", name: "web" }, "shop/web"],
    [{ name: "n1" }, "n1"],
    [{ namespace: "", name: "n1" }, "n1"],
  ])("of %j is %s, and back", (metadata, key) => {
    expect(keyOf({ metadata })).toBe(key);
    const { namespace, name } = splitKey(key);
    expect({ namespace: namespace ?? "", name }).toEqual({ namespace: "", ...metadata });
  });

  it("needs a name", () => {
    expect(() => keyOf({ metadata: {} })).toThrow("metadata.name is missing");
  });
});

describe("paths", () => {
  it("are those of the API", () => {
    expect(objectPath(services, "shop/web")).toBe("/api/v1/namespaces/shop/services/web");
    expect(objectPath(nodes, "n1")).toBe("/api/v1/nodes/n1");
    expect(resource.collectionPath(endpointSlices)).toBe(
      "/apis/discovery.k8s.io/v1/endpointslices",
    );
    expect(resource.collectionPath(endpointSlices, "shop")).toBe(
      "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
    );
  });

  it("refuse a key that does not fit the kind", () => {
    expect(() => objectPath(services, "web")).toThrow('services: key "web" must be namespace/name');
    expect(() => objectPath(nodes, "a/n1")).toThrow('nodes: key "a/n1" must be name');
    expect(() => objectPath(services, "shop/")).toThrow("must be namespace/name");
  });

  it("cannot be left through a name", () => {
    expect(() => objectPath(nodes, "..")).toThrow("must be name");
    expect(objectPath(nodes, "..%2Fpods")).toBe("/api/v1/nodes/..%252Fpods");
  });
});

describe("withKind", () => {
  it("fills in what list items lack and leaves what is there", () => {
    expect(withKind(endpointSlices, { endpoints: [], addressType: "IPv4" })).toMatchObject({
      kind: "EndpointSlice",
      apiVersion: "discovery.k8s.io/v1",
    });
    expect(withKind(services, { kind: "Other", apiVersion: "x/v1" }).kind).toBe("Other");
  });
});
