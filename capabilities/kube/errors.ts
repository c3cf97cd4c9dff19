/** Why an API call failed, in the words a caller decides by. */
export type KubeErrorReason =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Invalid"
  | "Forbidden"
  | "Unreachable"
  | "Timeout"
  | "Other";

/** One field that the API server refused, from `Status.details.causes`. */
export type KubeErrorCause = {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
};

type Details = {
  readonly causes?: readonly KubeErrorCause[];
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
};

/**
 * A failed call to the API server. `message` says what was tried on which object and what the
 * server (or the network) answered; `reason` is what code should branch on; `status` is the HTTP
 * status, 0 if no answer came.
 */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly reason: KubeErrorReason;
  readonly status: number;
  readonly causes: readonly KubeErrorCause[];
  /** How long the server asked us to wait (Retry-After), in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: KubeErrorReason, status: number, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.status = status;
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** True if `error` is a KubeError with this reason. */
export function isReason(error: unknown, reason: KubeErrorReason): error is KubeError {
  return error instanceof KubeError && error.reason === reason;
}

/** The parts of `metav1.Status` that errors are made of. */
type Status = {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly KubeErrorCause[];
    readonly retryAfterSeconds?: number;
  };
};

/** An answer that is no success, or in `e` why there is none. */
export type FailedResponse = {
  readonly status: number;
  readonly statusText: string;
  readonly data?: unknown;
  readonly headers?: { get(name: string): string | null };
  readonly e?: unknown;
};

const REASON_OF_STATUS: Readonly<Record<number, KubeErrorReason>> = {
  400: "Invalid",
  401: "Forbidden",
  403: "Forbidden",
  404: "NotFound",
  408: "Timeout",
  409: "Conflict",
  422: "Invalid",
  503: "Unreachable",
  504: "Timeout",
};

/**
 * Turns a failed answer into a KubeError.
 *
 * @param what - what was tried, e.g. `get services default/web`
 */
export function toKubeError(what: string, response: FailedResponse): KubeError {
  if (response.e !== undefined) {
    return networkError(what, response.e);
  }
  const status = asStatus(response.data);
  const reason =
    status.reason === "AlreadyExists"
      ? "AlreadyExists"
      : (REASON_OF_STATUS[response.status] ?? "Other");
  const said = status.message ?? bodyText(response.data) ?? response.statusText;
  return new KubeError(reason, response.status, `${what}: ${said} (HTTP ${response.status})`, {
    causes: status.details?.causes ?? [],
    retryAfterMs: retryAfterMs(response, status),
  });
}

function networkError(what: string, error: unknown): KubeError {
  const isTimeout = error instanceof Error && error.name === "TimeoutError";
  return new KubeError(
    isTimeout ? "Timeout" : "Unreachable",
    0,
    isTimeout
      ? `${what}: the API server did not answer in time`
      : `${what}: the API server cannot be reached: ${rootMessage(error)}`,
    { cause: error },
  );
}

/** The useful part may be hidden in `cause`. */
function rootMessage(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) {
    current = current.cause;
  }
  if (!(current instanceof Error)) {
    return String(current);
  }
  const code = "code" in current && typeof current.code === "string" ? current.code : undefined;
  return current.message === "" ? (code ?? current.name) : current.message;
}

function asStatus(data: unknown): Status {
  const isStatus =
    typeof data === "object" && data !== null && "kind" in data && data.kind === "Status";
  return isStatus ? (data as Status) : {};
}

function bodyText(data: unknown): string | undefined {
  return typeof data === "string" && data !== "" ? data.trim().slice(0, 300) : undefined;
}

function retryAfterMs(response: FailedResponse, status: Status): number | undefined {
  const header = response.headers?.get("retry-after");
  const seconds = status.details?.retryAfterSeconds ?? Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
