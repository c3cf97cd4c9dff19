import { describe, expect, it } from "vitest";
import type { Manifest } from "./manifest";
import { sparing } from "./webhooks";

const configuration = (kind: string): Manifest => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind,
  metadata: { name: "pepr-ancho" },
  webhooks: [{ name: "pepr-ancho.pepr.dev", failurePolicy: "Ignore" }],
});

const namesIn = (object: Manifest): readonly string[] => {
  const [webhook] = object["webhooks"] as { matchConditions: { name: string }[] }[];
  return webhook?.matchConditions.map(({ name }) => name) ?? [];
};

describe("sparing", () => {
  it("keeps Services that are no LoadBalancer from both webhooks", () => {
    expect(namesIn(sparing(configuration("MutatingWebhookConfiguration")))).toEqual([
      "load-balancers",
    ]);
  });

  it("keeps what Mutate chose from Validate, and everything else of the webhook as it is", () => {
    const object = sparing(configuration("ValidatingWebhookConfiguration"));
    expect(namesIn(object)).toEqual(["load-balancers", "wishes"]);
    expect(object["webhooks"]).toMatchObject([
      { name: "pepr-ancho.pepr.dev", failurePolicy: "Ignore" },
    ]);
  });

  it("leaves other objects alone", () => {
    const object = { apiVersion: "v1", kind: "Service", metadata: { name: "pepr-ancho" } };
    expect(sparing(object)).toBe(object);
  });
});
