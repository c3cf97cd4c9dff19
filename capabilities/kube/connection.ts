import { KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";
import { Agent } from "undici";

/** Where the API server is and how to prove who we are. */
export type Connection = {
  readonly server: string;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
};

/** Hands out the current connection; `renew` makes the next `current` read the files again. */
export type ConnectionSource = {
  current(): Promise<Connection>;
  renew(): void;
  close(): Promise<void>;
};

/**
 * How long what was read from kubeconfig, certificates and token file is used. Tokens of service
 * accounts are rotated long before they expire, so seconds do not matter; reading them per call
 * would cost several file reads each.
 */
const REFRESH_MS = 10_000;
/** Below the API server's own idle limit (90 s), so that we never write into a closing socket. */
const KEEP_ALIVE_MS = 30_000;
const MAX_SOCKETS = 16;

type Tls = Pick<RequestOptions, "ca" | "cert" | "key" | "servername" | "rejectUnauthorized">;

export type ConnectionOptions = {
  /** A kubeconfig file to read instead of what kubectl would read. */
  readonly kubeconfig?: string;
  readonly now?: () => number;
};

/**
 * Reads the cluster's address and credentials as kubectl does (env KUBECONFIG, ~/.kube/config, then
 * the pod's service account). One agent lives as long as server, CA, certificate and key stay the
 * same, so that calls share connections.
 */
export function createConnectionSource({
  kubeconfig,
  now = Date.now,
}: ConnectionOptions = {}): ConnectionSource {
  let cached: { connection: Connection; identity: string; readAt: number } | undefined;
  let stale = true;
  let reading: Promise<Connection> | undefined;

  async function read(): Promise<Connection> {
    const { server, tls, headers } = await readKubeConfig(kubeconfig);
    const identity = JSON.stringify([server, tls], bufferToText);
    const isSame = cached?.identity === identity;
    const old = cached?.connection.agent;
    const agent = isSame && old !== undefined ? old : createAgent(tls);
    const connection = { server, agent, headers };
    cached = { connection, identity, readAt: now() };
    stale = false;
    if (!isSame && old !== undefined) {
      retire(old);
    }
    return connection;
  }

  function current(): Promise<Connection> {
    if (cached !== undefined && !stale && now() - cached.readAt < REFRESH_MS) {
      return Promise.resolve(cached.connection);
    }
    reading ??= readOrKeep().finally(() => (reading = undefined));
    return reading;
  }

  async function readOrKeep(): Promise<Connection> {
    try {
      return await read();
    } catch (error) {
      // A file that is being replaced right now: what worked so far is the better choice.
      if (cached !== undefined) {
        return cached.connection;
      }
      throw error;
    }
  }

  return {
    current,
    renew: () => (stale = true),
    close: async () => {
      await cached?.connection.agent.close();
      cached = undefined;
    },
  };
}

/** Closes the sockets of an old identity, after the calls that are about to use them have begun. */
function retire(agent: Agent): void {
  const close = (): void => void agent.close().catch(() => undefined);
  setTimeout(close, REFRESH_MS).unref();
}

function createAgent(tls: Tls): Agent {
  return new Agent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connections: MAX_SOCKETS,
    connect: { ...tls, timeout: 5_000 } as NonNullable<Agent.Options["connect"]>,
  });
}

async function readKubeConfig(file?: string): Promise<{
  server: string;
  tls: Tls;
  headers: Record<string, string>;
}> {
  const config = new KubeConfig();
  if (file === undefined) {
    config.loadFromDefault();
  } else {
    config.loadFromFile(file);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error(
      "no Kubernetes cluster is configured: set KUBECONFIG or run in a pod with a service account",
    );
  }
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return { server: cluster.server, tls: pickTls(options), headers: pickHeaders(options) };
}

function pickTls(options: RequestOptions): Tls {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const tls = { ca, cert, key, servername, rejectUnauthorized };
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

function pickHeaders(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers[name] = String(value).trim();
  }
  if (typeof options.auth === "string") {
    headers["Authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  }
  return headers;
}

/** JSON.stringify writes a Buffer as a list of numbers; text is shorter and compares the same. */
function bufferToText(_key: string, value: unknown): unknown {
  const isBuffer =
    typeof value === "object" && value !== null && "type" in value && "data" in value;
  return isBuffer ? Buffer.from(value.data as number[]).toString("base64") : value;
}
