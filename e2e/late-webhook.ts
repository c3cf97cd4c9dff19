/**
 * A mutating webhook that is called after Ancho's, as a policy engine's may be: what the label `late` of a Service
 * asks for is done to it. Arguments: port, certificate file, key file.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [port = "", cert = "", key = ""] = process.argv.slice(2);

type Operation = { readonly op: "add"; readonly path: string; readonly value: unknown };
type Review = {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } };
  };
};

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

function answer({ request }: Review): object {
  const patch = changes[request.object.metadata.labels?.["late"] ?? ""] ?? [];
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid: request.uid,
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
    },
  };
}

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Review;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer(review)));
  });
}).listen(Number(port), "127.0.0.1");
