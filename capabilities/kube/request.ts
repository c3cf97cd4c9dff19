import { STATUS_CODES } from "node:http";
import type { Connection, ConnectionSource } from "./connection";
import { KubeError, toKubeError } from "./errors";

/** One HTTP request to the API server; `what` names it in errors, e.g. `get services default/web`. */
export type KubeRequest = {
  readonly what: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
};

const JSON_TYPE = "application/json";

/**
 * Sends a request and returns the decoded answer, or rejects with a KubeError. Tries once more if
 * the credentials were stale or a kept connection had gone. `timeoutMs` is for all of it.
 */
export async function sendRequest<R>(
  connections: ConnectionSource,
  timeoutMs: number,
  request: KubeRequest,
): Promise<R> {
  const signal = AbortSignal.timeout(timeoutMs);
  let result = await attempt<R>(connections, signal, request);
  if (!result.ok && isWorthRetry(request, result.error)) {
    connections.renew();
    result = await attempt<R>(connections, signal, request);
  }
  if (!result.ok) {
    throw result.error;
  }
  return result.data;
}

type Attempt<R> = { ok: true; data: R } | { ok: false; error: KubeError };

async function attempt<R>(
  connections: ConnectionSource,
  signal: AbortSignal,
  request: KubeRequest,
): Promise<Attempt<R>> {
  const connection = await currentConnection(connections, request);
  if (connection instanceof KubeError) {
    return { ok: false, error: connection };
  }
  try {
    return await exchange<R>(connection, signal, request);
  } catch (error) {
    const failed = { status: 0, statusText: "", e: error };
    return { ok: false, error: toKubeError(request.what, failed) };
  }
}

/** By undici's plain request: its `fetch` costs three times the CPU, in streams and headers that nobody looks at. */
async function exchange<R>(
  connection: Connection,
  signal: AbortSignal,
  request: KubeRequest,
): Promise<Attempt<R>> {
  const { origin, pathname, search } = urlOf(connection.server, request);
  const { statusCode, headers, body } = await connection.agent.request({
    origin,
    path: `${pathname}${search}`,
    method: request.method,
    headers: {
      ...connection.headers,
      Accept: JSON_TYPE,
      "Content-Type": request.contentType ?? JSON_TYPE,
      "User-Agent": "ancho",
    },
    body: request.body === undefined ? null : JSON.stringify(request.body),
    signal,
  });
  const text = await body.text();
  const isJson = String(headers["content-type"] ?? "").includes(JSON_TYPE);
  const data: unknown = isJson ? JSON.parse(text) : text;
  if (statusCode >= 200 && statusCode < 300) return { ok: true, data: data as R };
  const answer = { status: statusCode, statusText: STATUS_CODES[statusCode] ?? "", data };
  const get = (name: string): string | null => headers[name]?.toString() ?? null;
  return { ok: false, error: toKubeError(request.what, { ...answer, headers: { get } }) };
}

async function currentConnection(
  connections: ConnectionSource,
  { what }: KubeRequest,
): Promise<Connection | KubeError> {
  try {
    return await connections.current();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new KubeError("Unreachable", 0, `${what}: no connection: ${reason}`, { cause: error });
  }
}

function urlOf(server: string, { path, query = {} }: KubeRequest): URL {
  const url = new URL(`${server.replace(/\/$/, "")}${path}`);
  for (const [name, value] of Object.entries(query)) {
    url.searchParams.set(name, value);
  }
  return url;
}

/**
 * 401 means that the token was rotated under us. A read that found its kept connection closed was
 * never seen by the server; a write may have been, so it is for the caller to decide.
 */
function isWorthRetry(request: KubeRequest, error: KubeError): boolean {
  if (error.status === 401) {
    return true;
  }
  return request.method === "GET" && error.reason === "Unreachable" && error.status === 0;
}
