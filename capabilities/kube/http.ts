import { createServer } from "node:http";
import type { Server } from "node:http";
import type { Registry } from "prom-client";

export type HttpOptions = {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly isReady: () => boolean;
  /** The flag or variable that says the address, for the error when the port is taken. */
  readonly setBy: string;
};

/** Serves /metrics, /healthz (the process turns over) and /readyz. Rejects if the port is taken. */
export async function startHttp({
  host,
  port,
  registry,
  isReady,
  setBy,
}: HttpOptions): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? "", registry, isReady).then(({ status, type, body }) => {
      response.writeHead(status, { "content-type": type }).end(body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", error => {
      const problem = `cannot serve metrics on ${host}:${port}: ${error.message}; `;
      reject(new Error(`${problem}stop what uses the port or choose another with ${setBy}`));
    });
    server.listen(port, host, resolve);
  });
  return server;
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };

async function answer(path: string, registry: Registry, isReady: () => boolean): Promise<Answer> {
  switch (path.split("?")[0]) {
    case "/metrics":
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    case "/healthz":
      return { status: 200, type: "text/plain", body: "ok\n" };
    case "/readyz":
      return isReady()
        ? { status: 200, type: "text/plain", body: "ok\n" }
        : { status: 503, type: "text/plain", body: "waiting for the cluster's state\n" };
    default:
      return { status: 404, type: "text/plain", body: "not found\n" };
  }
}
