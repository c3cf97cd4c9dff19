import { describe, expect, it } from "vitest";
import { buildCrds } from "./crd";

const crds = buildCrds();
const find = (name: string) => crds.find(one => one.metadata.name === name)!;

type Schema = { readonly properties: Readonly<Record<string, Schema>> } & Readonly<
  Record<string, unknown>
>;

function specOf(name: string, version: string): Schema {
  const found = find(name).spec.versions.find(one => one.name === version);
  return (found?.schema.openAPIV3Schema as Schema).properties["spec"]!;
}

describe("buildCrds", () => {
  it("has every kind of MetalLB, and VirtualIP", () => {
    expect(crds.map(one => one.metadata.name)).toEqual([
      "bfdprofiles.metallb.io",
      "bgpadvertisements.metallb.io",
      "bgppeers.metallb.io",
      "communities.metallb.io",
      "configurationstates.metallb.io",
      "ipaddresspools.metallb.io",
      "l2advertisements.metallb.io",
      "servicebgpstatuses.metallb.io",
      "servicel2statuses.metallb.io",
      "virtualips.ancho.dev",
    ]);
  });

  it("stores exactly one version of each, and gives each a status subresource", () => {
    for (const { spec } of crds) {
      expect(spec.versions.filter(version => version.storage)).toHaveLength(1);
      expect(spec.versions.every(version => version.subresources.status)).toBe(true);
    }
  });

  it("serves BGPPeer in both versions without a webhook, and stores v1beta2", () => {
    const { conversion, versions } = find("bgppeers.metallb.io").spec;
    expect(conversion).toEqual({ strategy: "None" });
    expect(
      versions.map(({ name, served, storage, deprecated = false }) => [
        name,
        served,
        storage,
        deprecated,
      ]),
    ).toEqual([
      ["v1beta1", true, false, true],
      ["v1beta2", true, true, false],
    ]);
  });

  it("makes every field of BGPPeer v1beta1 one of v1beta2 too, so that renaming the version converts", () => {
    const older = Object.keys(specOf("bgppeers.metallb.io", "v1beta1").properties);
    const newer = Object.keys(specOf("bgppeers.metallb.io", "v1beta2").properties);
    expect(newer).toEqual(expect.arrayContaining(older));
  });

  it("has VirtualIP in the cluster, as vip, with the columns an operator wants", () => {
    const { scope, names, versions } = find("virtualips.ancho.dev").spec;
    expect([scope, names.shortNames]).toEqual(["Cluster", ["vip"]]);
    const columns = versions[0]?.additionalPrinterColumns ?? [];
    const at = (wide: boolean) =>
      columns.filter(({ priority = 0 }) => priority > 0 === wide).map(({ name }) => name);
    const narrow = ["Address", "Pool", "Service", "Phase", "Protocol", "Node", "Seen", "Age"];
    expect(at(false)).toEqual(narrow);
    expect(at(true)).toEqual(["MAC", "Interface", "Stranger", "Reason"]);
  });

  it("keeps MetalLB's kinds in namespaces and without short names", () => {
    for (const { spec } of crds.filter(one => one.spec.group === "metallb.io")) {
      expect(spec.scope).toBe("Namespaced");
      expect(spec.names.shortNames).toBeUndefined();
    }
  });

  it("shows nothing in a column that the schema does not have", () => {
    const columns = crds.flatMap(({ spec }) =>
      spec.versions.flatMap(({ schema, additionalPrinterColumns = [] }) =>
        additionalPrinterColumns.map(({ jsonPath }) => ({
          kind: spec.names.kind,
          schema,
          jsonPath,
        })),
      ),
    );
    for (const { kind, schema, jsonPath } of columns.filter(
      one => !one.jsonPath.startsWith(".metadata"),
    )) {
      const end = jsonPath
        .slice(1)
        .split(".")
        .reduce<Schema | undefined>(
          (at, step) => at?.properties[step],
          schema.openAPIV3Schema as Schema,
        );
      expect(end, `${kind} ${jsonPath}`).toBeDefined();
    }
  });

  it("gives MetalLB's defaults", () => {
    const defaults = (name: string, version: string) =>
      Object.fromEntries(
        Object.entries(specOf(name, version).properties)
          .filter(([, field]) => "default" in field)
          .map(([field, schema]) => [field, schema["default"]]),
      );
    expect(defaults("ipaddresspools.metallb.io", "v1beta1")).toEqual({
      autoAssign: true,
      avoidBuggyIPs: false,
    });
    expect(defaults("bgpadvertisements.metallb.io", "v1beta1")).toEqual({
      aggregationLength: 32,
      aggregationLengthV6: 128,
    });
    expect(defaults("bgppeers.metallb.io", "v1beta2")).toEqual({
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    });
  });
});
