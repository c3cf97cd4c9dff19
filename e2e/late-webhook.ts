/**
 * A mutating webhook that is called after Ancho's, as a policy engine's may be: what the label `late` of a Service
 * asks for is done to it. Arguments: port, certificate file, key file.
 */
import { serveReviews } from "../hack/review-server";

const [port = "", cert = "", key = ""] = process.argv.slice(2);

type Operation = { readonly op: "add"; readonly path: string; readonly value: unknown };
const changes: Readonly<Record<string, readonly Operation[]>> = {
  address: [{ op: "add", path: "/spec/loadBalancerIP", value: "10.210.0.14" }],
  pool: [
    { op: "add", path: "/metadata/annotations/metallb.io~1address-pool", value: "paths-other" },
  ],
  // What only a LoadBalancer may have was set by default before, and goes with the type.
  type: [
    { op: "add", path: "/spec/type", value: "ClusterIP" },
    { op: "add", path: "/spec/allocateLoadBalancerNodePorts", value: null },
    { op: "add", path: "/spec/externalTrafficPolicy", value: "" },
  ],
};

serveReviews({ port, cert, key }, ({ object }) => {
  const patch = changes[object.metadata.labels?.["late"] ?? ""] ?? [];
  return {
    patchType: "JSONPatch",
    patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
  };
});
