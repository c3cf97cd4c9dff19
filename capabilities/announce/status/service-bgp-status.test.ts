import { describe, expect, it } from "vitest";
import type { ServiceBGPStatus } from "../../config/kinds/service-bgp-status";
import { bgpStatusOps } from "./service-bgp-status";
import type { BgpStatusInput } from "./service-bgp-status";

const base: BgpStatusInput = {
  ...{ service: "default/web", me: "n1", namespace: "metallb-system", present: [] },
  audience: { peers: ["tor"], waitingPeers: ["spine"] },
};
const NOBODY = { peers: [], waitingPeers: [] };

/** The objects after the operations, as the API server would have them. */
function after(input: BgpStatusInput): readonly ServiceBGPStatus[] {
  const key = ({ metadata }: ServiceBGPStatus): string =>
    `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
  return bgpStatusOps(input).reduce<readonly ServiceBGPStatus[]>((objects, op) => {
    if (op.op === "create") return [...objects, op.object];
    if (op.op === "delete") return objects.filter(object => key(object) !== op.key);
    return objects.map(object => (key(object) === op.key ? { ...object, ...op.patch } : object));
  }, input.present);
}

describe("bgpStatusOps", () => {
  const present = after(base);

  it("metallb 144: says whom the node advertises a Service to, and who waits for a session", () => {
    expect(present.map(({ status }) => status)).toEqual([
      {
        ...{ node: "n1", serviceName: "web", serviceNamespace: "default" },
        ...{ peers: ["tor"], waitingPeers: ["spine"] },
      },
    ]);
    expect(present[0]?.metadata).toMatchObject({
      namespace: "metallb-system",
      labels: {
        "metallb.io/node": "n1",
        "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "default",
      },
    });
    expect(present[0]?.metadata.name).toMatch(/^bgp-/);
  });

  it("metallb 144: writes nothing that is said, follows what changes, and goes with the last peer", () => {
    expect(bgpStatusOps({ ...base, present })).toEqual([]);
    const audience = { peers: ["spine", "tor"], waitingPeers: [] };
    expect(after({ ...base, present, audience })[0]?.status).toMatchObject(audience);
    expect(after({ ...base, present, audience: NOBODY })).toEqual([]);
    expect(bgpStatusOps({ ...base, audience: NOBODY })).toEqual([]);
  });

  it("leaves the objects of other nodes and Services alone, and of two of its own keeps one", () => {
    const both = after({ ...base, me: "n2", present });
    expect(both).toHaveLength(2);
    expect(after({ ...base, present: both, audience: NOBODY })).toHaveLength(1);
    const copy = { ...present[0]!, metadata: { ...present[0]!.metadata, name: "bgp-copy" } };
    expect(after({ ...base, present: [...present, copy] })).toEqual(present);
    const other = after({ ...base, service: "default/other" });
    expect(after({ ...base, present: other, audience: NOBODY })).toEqual(other);
  });
});
