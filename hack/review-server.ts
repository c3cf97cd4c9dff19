import { readFileSync } from "node:fs";
import { createServer } from "node:https";

/** What is read of the request in an AdmissionReview of a namespaced object. */
type ReviewRequest = {
  readonly uid: string;
  readonly namespace: string;
  readonly object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } };
};

/** Where to listen on loopback, and files of the certificate and its key. */
type ReviewServerOptions = {
  readonly port: string;
  readonly cert: string;
  readonly key: string;
};

/**
 * Serves an admission webhook that allows each request, with what `answer` adds to the response. A rejected answer ends the
 * process: a webhook that cannot do its part must not look like one that did.
 */
export function serveReviews(
  { port, cert, key }: ReviewServerOptions,
  answer: (request: ReviewRequest) => object | Promise<object>,
): void {
  const review = async (body: string): Promise<string> => {
    const { request } = JSON.parse(body) as { readonly request: ReviewRequest };
    const response = { uid: request.uid, allowed: true, ...(await answer(request)) };
    const apiVersion = "admission.k8s.io/v1";
    return JSON.stringify({ apiVersion, kind: "AdmissionReview", response });
  };
  createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void review(Buffer.concat(chunks).toString("utf8")).then(body => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(body);
      });
    });
  }).listen(Number(port), "127.0.0.1");
}
