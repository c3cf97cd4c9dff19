import type { GenericKind } from "kubernetes-fluent-client";
import { PeprValidateRequest } from "pepr";
import { describe, expect, it } from "vitest";
import { configCapability } from "./capability";

type Binding = (typeof configCapability.bindings)[number];

const bindingOf = (kind: string): Binding =>
  configCapability.bindings.find(binding => binding.kind.kind === kind)!;

async function review(kind: string, namespace: string, spec: object) {
  const object = {
    apiVersion: "metallb.io/v1beta1",
    kind,
    metadata: { name: "x", namespace },
    spec,
  };
  const request = new PeprValidateRequest({
    uid: "1",
    kind: { group: "metallb.io", version: "v1beta1", kind },
    resource: { group: "metallb.io", version: "v1beta1", resource: "x" },
    name: "x",
    namespace,
    operation: "CREATE" as PeprValidateRequest<GenericKind>["Request"]["operation"],
    userInfo: {},
    object,
  });
  return bindingOf(kind).validateCallback?.(request);
}

describe("configCapability", () => {
  it("checks every kind of MetalLB that users write, when it is created and when it is changed", () => {
    const bindings = configCapability.bindings.map(({ kind, event, isValidate }) => [
      kind.plural,
      event,
      isValidate,
    ]);
    expect(bindings).toEqual(
      [
        "ipaddresspools",
        "l2advertisements",
        "bgpadvertisements",
        "bgppeers",
        "bfdprofiles",
        "communities",
      ].map(plural => [plural, "CREATEORUPDATE", true]),
    );
  });

  it("approves a good pool", async () => {
    const answer = await review("IPAddressPool", "metallb-system", { addresses: ["10.0.0.0/24"] });
    expect(answer).toMatchObject({ allowed: true });
  });

  it("denies a wrong pool with the sentence", async () => {
    const answer = await review("IPAddressPool", "default", { addresses: ["10.0.0.0/24"] });
    expect(answer).toMatchObject({
      allowed: false,
      statusMessage: expect.stringContaining('metadata.namespace "default"') as string,
    });
  });
});
