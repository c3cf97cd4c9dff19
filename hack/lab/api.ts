/** A few plain requests to the lab's API server, for the lab's own start and checks. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { certFiles } from "./certs";
import type { LabPaths } from "./paths";

/** An answer of the API server. */
export type ApiAnswer = { readonly status: number; readonly body: string };

/** A request; `body` is sent as JSON. */
export type ApiRequest = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
};

/** Sends requests as the lab's administrator, through the loopback forwarder. */
export type LabApi = (call: ApiRequest) => Promise<ApiAnswer>;

const TIMEOUT_MS = 5_000;

const contentType = (call: ApiRequest): string =>
  call.method === "PATCH" ? "application/strategic-merge-patch+json" : "application/json";

/** The port on 127.0.0.1 at which the lab's API server can be reached. */
export function apiPort(paths: LabPaths): number {
  return Number(readFileSync(paths.apiPort, "utf8"));
}

/** A client for the lab's API server. */
export function createLabApi(paths: LabPaths): LabApi {
  const admin = certFiles(paths.pki, "admin");
  const tls = {
    ca: readFileSync(certFiles(paths.pki, "ca").cert),
    cert: readFileSync(admin.cert),
    key: readFileSync(admin.key),
  };
  const port = apiPort(paths);
  return call =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          ...tls,
          host: "127.0.0.1",
          port,
          path: call.path,
          method: call.method ?? "GET",
          headers: { "content-type": contentType(call) },
          timeout: TIMEOUT_MS,
        },
        response => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString("utf8"),
            });
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`${call.path}: no answer in 5 s`)));
      sent.on("error", reject);
      sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    });
}

/** Sends a request; an answer other than 2xx is an error that shows what the server said. */
export async function mustApi(api: LabApi, call: ApiRequest): Promise<unknown> {
  const answer = await api(call);
  if (answer.status < 200 || answer.status > 299) {
    throw new Error(`${call.method ?? "GET"} ${call.path}: ${answer.status} ${answer.body}`);
  }
  return JSON.parse(answer.body) as unknown;
}
