import { describe, expect, it, vi } from "vitest";
import type { KubeClient } from "./client";
import { KubeError } from "./errors";
import { createEventRecorder } from "./events";

const subject = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "web", uid: "u1" };
const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

/** The three calls that the recorder makes, over a map. */
function memoryClient(): { client: KubeClient; stored: Map<string, Record<string, unknown>> } {
  const stored = new Map<string, Record<string, unknown>>();
  const client = {
    create: (_kind: unknown, object: { metadata: { namespace: string; name: string } }) => {
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      if (stored.has(key)) {
        return Promise.reject(new KubeError("AlreadyExists", 409, "there is one"));
      }
      stored.set(key, object);
      return Promise.resolve(object);
    },
    get: (_kind: unknown, key: string) => Promise.resolve(stored.get(key)),
    mergePatch: (_kind: unknown, key: string, patch: object) => {
      stored.set(key, { ...stored.get(key), ...patch });
      return Promise.resolve(stored.get(key));
    },
  };
  return { client: client as unknown as KubeClient, stored };
}

describe("event recorder", () => {
  it("counts up the same event and keeps different ones apart", async () => {
    const { client, stored } = memoryClient();
    let now = Date.UTC(2026, 0, 1);
    const recorder = createEventRecorder(client, "ancho", { now: () => now });
    await recorder.emit(subject, "Normal", "IPAllocated", "172.30.0.240");
    now += 90_500;
    await recorder.emit(subject, "Normal", "IPAllocated", "172.30.0.240");
    await recorder.emit(subject, "Warning", "AllocationFailed", "no pool");
    expect([...stored.keys()].every(key => key.startsWith("shop/web."))).toBe(true);
    expect([...stored.values()]).toMatchObject([
      {
        count: 2,
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:01:30Z",
        reason: "IPAllocated",
        involvedObject: subject,
        source: { component: "ancho" },
      },
      { count: 1, type: "Warning", reason: "AllocationFailed" },
    ]);
  });

  it("keeps events of cluster-scoped objects in default", async () => {
    const { client, stored } = memoryClient();
    const node = { apiVersion: "v1", kind: "Node", name: "n1" };
    await createEventRecorder(client, "ancho").emit(node, "Normal", "Announced", "x");
    expect([...stored.keys()][0]).toMatch(/^default\/n1\./);
  });

  it("never rejects: what the server refuses is logged", async () => {
    const refuse = (): Promise<never> => Promise.reject(new KubeError("Forbidden", 403, "no"));
    const client = { create: refuse } as unknown as KubeClient;
    const recorder = createEventRecorder(client, "ancho", undefined, log);
    await expect(recorder.emit(subject, "Normal", "X", "y".repeat(5_000))).resolves.toBeUndefined();
    expect(log.warn).toHaveBeenCalledOnce();
  });

  it("writes a few at a time, keeps the others waiting, and drops what comes while too many wait", async () => {
    const answers: (() => void)[] = [];
    const create = vi.fn(() => new Promise<void>(resolve => answers.push(resolve)));
    const client = { create } as unknown as KubeClient;
    const dropped = { ...log, warn: vi.fn() };
    const recorder = createEventRecorder(client, "ancho", undefined, dropped);
    const emitted = Array.from({ length: 1_010 }, (_, i) =>
      recorder.emit(subject, "Normal", "IPAllocated", `172.30.0.${i}`),
    );
    await vi.waitFor(() => {
      expect(answers).toHaveLength(4);
    });
    expect(dropped.warn.mock.calls.length).toBeGreaterThan(0);
    const written = 1_010 - dropped.warn.mock.calls.length;
    while (create.mock.calls.length < written || answers.length > 0) {
      answers.splice(0).forEach(answer => {
        answer();
      });
      await new Promise(resolve => setImmediate(resolve));
    }
    await Promise.all(emitted);
    expect(create).toHaveBeenCalledTimes(written);
    expect(written).toBeGreaterThanOrEqual(1_000);
  });
});
