import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What one test makes the server do with a request; `undefined` leaves it to the next handler. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

export type FakeApiServer = {
  readonly url: string;
  /** Requests so far, as `GET /path?query`. */
  readonly requests: readonly string[];
  /** Authorization header of the last request. */
  lastAuthorization(): string | undefined;
  /** Connections accepted since the start. */
  connections(): number;
  /** Resets every open connection, as a killed server's kernel does. */
  resetConnections(): void;
  /** Writes a kubeconfig that leads here. */
  writeKubeConfig(path: string, token: string): void;
  stop(): Promise<void>;
};

/**
 * An HTTP server on loopback for faults that a real API server cannot be made to show at will. What
 * it should answer is the test's; what a real server answers is tested in e2e/.
 */
export async function startFakeApiServer(handle: Handler): Promise<FakeApiServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let authorization: string | undefined;
  let accepted = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    authorization = request.headers.authorization;
    if (!handle(request, response)) {
      answer(response, 404, { kind: "Status", reason: "NotFound", message: "no such thing" });
    }
  });
  server.on("connection", socket => {
    accepted += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const resetConnections = (): void => {
    sockets.forEach(socket => socket.resetAndDestroy());
  };

  return {
    url,
    requests,
    lastAuthorization: () => authorization,
    connections: () => accepted,
    resetConnections,
    writeKubeConfig: (path, token) => {
      writeFileSync(path, JSON.stringify(kubeConfig(url, token)));
    },
    stop: async () => {
      const closed = new Promise(resolve => server.close(resolve));
      resetConnections();
      await closed;
    },
  };
}

/** Answers with JSON, as the API server does. */
export function answer(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
  return true;
}

/** kubeconfig is YAML, and JSON is YAML. */
function kubeConfig(server: string, token: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "fake", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "fake", context: { cluster: "fake", user: "user" } }],
    "current-context": "fake",
  };
}
