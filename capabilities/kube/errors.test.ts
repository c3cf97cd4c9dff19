import { describe, expect, it } from "vitest";
import { isReason, KubeError, toKubeError } from "./errors";

const status = (code: number, reason: string, details = {}): object => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message: "the server's sentence",
  details,
});

describe("toKubeError", () => {
  it.each([
    [404, "NotFound", "NotFound"],
    [409, "AlreadyExists", "AlreadyExists"],
    [409, "Conflict", "Conflict"],
    [422, "Invalid", "Invalid"],
    [400, "BadRequest", "Invalid"],
    [403, "Forbidden", "Forbidden"],
    [401, "Unauthorized", "Forbidden"],
    [503, "ServiceUnavailable", "Unreachable"],
    [504, "Timeout", "Timeout"],
    [500, "InternalError", "Other"],
    [429, "TooManyRequests", "Other"],
  ])("HTTP %i with reason %s is %s", (code, reason, expected) => {
    const error = toKubeError("get services a/b", {
      status: code,
      statusText: "",
      data: status(code, reason),
    });
    expect(error.reason).toBe(expected);
    expect(error.status).toBe(code);
    expect(error.message).toBe(`get services a/b: the server's sentence (HTTP ${code})`);
  });

  it("keeps the fields that were refused and how long to wait", () => {
    const causes = [
      { field: "spec.ports", message: "Required value", reason: "FieldValueRequired" },
    ];
    const data = status(422, "Invalid", { causes, retryAfterSeconds: 3 });
    const error = toKubeError("create services a/b", { status: 422, statusText: "", data });
    expect(error.causes).toEqual(causes);
    expect(error.retryAfterMs).toBe(3_000);
  });

  it("reads Retry-After of an answer that is no Status", () => {
    const headers = new Headers({ "retry-after": "2" });
    const error = toKubeError("x", {
      status: 429,
      statusText: "Busy",
      data: "slow down\n",
      headers,
    });
    expect(error.retryAfterMs).toBe(2_000);
    expect(error.message).toBe("x: slow down (HTTP 429)");
  });

  it("does not take a network failure for a bad request, and says the root cause", () => {
    const cause = new Error("connect ECONNREFUSED 127.0.0.1:6443");
    const e = new TypeError("fetch failed", { cause });
    const error = toKubeError("x", { status: 400, statusText: "fetch failed", e });
    expect(error.reason).toBe("Unreachable");
    expect(error.status).toBe(0);
    expect(error.message).toContain("ECONNREFUSED");
    expect(error.cause).toBe(e);
  });

  it("tells a timeout from an unreachable server", () => {
    const e = new DOMException("aborted", "TimeoutError");
    expect(toKubeError("x", { status: 23, statusText: "", e }).reason).toBe("Timeout");
  });
});

describe("isReason", () => {
  it("is false for what is no KubeError", () => {
    expect(isReason({ reason: "NotFound" }, "NotFound")).toBe(false);
    expect(isReason(new KubeError("NotFound", 404, ""), "NotFound")).toBe(true);
    expect(isReason(new KubeError("NotFound", 404, ""), "Conflict")).toBe(false);
  });
});
