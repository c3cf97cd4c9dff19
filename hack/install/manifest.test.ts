import { describe, expect, it } from "vitest";
import type { Manifest } from "./manifest";
import { inApplyOrder } from "./manifest";

const object = (kind: string, name = kind): Manifest => ({
  apiVersion: "v1",
  kind,
  metadata: { name },
});

describe("inApplyOrder", () => {
  it("puts namespaces and CRDs first and webhooks last", () => {
    const sorted = inApplyOrder([
      object("ValidatingWebhookConfiguration"),
      object("DaemonSet"),
      object("CustomResourceDefinition"),
      object("Namespace"),
    ]);
    expect(sorted.map(o => o.kind)).toEqual([
      "Namespace",
      "CustomResourceDefinition",
      "DaemonSet",
      "ValidatingWebhookConfiguration",
    ]);
  });

  it("keeps the given order within a kind", () => {
    const sorted = inApplyOrder([object("Secret", "b"), object("Secret", "a")]);
    expect(sorted.map(o => o.metadata.name)).toEqual(["b", "a"]);
  });

  it("refuses a kind it has no place for", () => {
    expect(() => inApplyOrder([object("Gateway")])).toThrow("Gateway Gateway: no place");
  });
});
