/**
 * A webhook that creates one VirtualIP for each request and then allows it: the least that a claim can cost that the API
 * server is to know before it says yes. Arguments: kubeconfig, port, certificate file, key file.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { buildVirtualIP } from "../../capabilities/ipam/claim";
import { virtualIPs } from "../../capabilities/ipam/claims";
import { createKubeClient } from "../../capabilities/kube/client";
import { createConnectionSource } from "../../capabilities/kube/connection";

const [kubeconfig = "", port = "", cert = "", key = ""] = process.argv.slice(2);
const client = createKubeClient({ connections: createConnectionSource({ kubeconfig }) });
/** 10.101.0.0, in no pool of the bench. */
const FIRST = 0x0a650000n;
let count = 0n;

type Review = { readonly request: { readonly uid: string; readonly namespace: string } };

async function answer({ request: { uid, namespace } }: Review): Promise<object> {
  const address = { family: "ipv4", value: FIRST + count++ } as const;
  const holder = { namespace, claimId: uid, claimedAt: new Date().toISOString() };
  await client.create(virtualIPs, buildVirtualIP(address, "bench", "lowest free address", holder));
  const response = { uid, allowed: true };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Review;
    void answer(review).then(body => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
}).listen(Number(port), "127.0.0.1");
