/**
 * A webhook that creates one VirtualIP for each request and then allows it: the least that a claim can cost that the API
 * server is to know before it says yes. Arguments: kubeconfig, port, certificate file, key file.
 */
import { buildVirtualIP } from "../../capabilities/ipam/claim";
import { virtualIPs } from "../../capabilities/ipam/claims";
import { createKubeClient } from "../../capabilities/kube/client";
import { createConnectionSource } from "../../capabilities/kube/connection";
import { serveReviews } from "../../hack/review-server";

const [kubeconfig = "", port = "", cert = "", key = ""] = process.argv.slice(2);
const client = createKubeClient({ connections: createConnectionSource({ kubeconfig }) });
/** 10.101.0.0, in no pool of the bench. */
const FIRST = 0x0a650000n;
let count = 0n;

serveReviews({ port, cert, key }, async ({ uid, namespace }) => {
  const address = { family: "ipv4", value: FIRST + count++ } as const;
  const holder = { namespace, claimId: uid, claimedAt: new Date().toISOString() };
  await client.create(virtualIPs, buildVirtualIP(address, "bench", "lowest free address", holder));
  return {};
});
