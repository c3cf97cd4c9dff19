import { expect } from "vitest";
import type { RunResult } from "../hack/lab/run";
import type { Cluster, KubeObject } from "./support";

/** A Service of type LoadBalancer with port 80, as far as a test says nothing else. */
export type ServiceOptions = {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
};

/** Services as a user makes and reads them with kubectl, in a test's own namespace unless told otherwise. */
export type ServiceTools = {
  manifest(options: ServiceOptions): object;
  /** `kubectl create -o json`, whatever becomes of it. */
  tryCreate(options: ServiceOptions, ...flags: string[]): Promise<RunResult>;
  /** The answer of `kubectl create`, which may warn but not fail. */
  create(options: ServiceOptions, ...flags: string[]): Promise<KubeObject>;
  read(name: string, namespace?: string): Promise<KubeObject>;
  /** The Service once its status has an address. */
  served(name: string, namespace?: string): Promise<KubeObject>;
  /** Waits until the status has exactly these addresses. */
  settled(name: string, addresses: readonly string[]): Promise<void>;
  /** A merge patch. */
  patch(name: string, change: object): Promise<void>;
  remove(...names: string[]): Promise<void>;
  /** Names of the VirtualIPs that Services hold in pools whose names begin so. */
  claims(poolPrefix: string): Promise<string[]>;
};

export function serviceTools(c: Cluster, home: string): ServiceTools {
  const manifest: ServiceTools["manifest"] = ({ namespace = home, spec, ...metadata }) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, ...metadata },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "web" }, ...spec },
  });
  const tryCreate: ServiceTools["tryCreate"] = (options, ...flags) => {
    const input = JSON.stringify(manifest(options));
    return c.kubectl(["create", "-f", "-", "-o", "json", ...flags], { input });
  };
  const read: ServiceTools["read"] = async (name, namespace = home) =>
    (await c.get("service", "-n", namespace, name))!;
  return {
    manifest,
    tryCreate,
    read,
    create: async (options, ...flags) => {
      const result = await tryCreate(options, ...flags);
      expect(result.stderr.replace(/^Warning:.*\n/gm, "")).toBe("");
      return JSON.parse(result.stdout) as KubeObject;
    },
    served: async (name, namespace = home) => {
      await c.waitFor(`Service ${name} to have an address`, async () => {
        return addressesOf(await read(name, namespace)).length > 0;
      });
      return read(name, namespace);
    },
    settled: (name, addresses) =>
      c
        .waitFor(`Service ${name} to have ${addresses.join() || "no address"}`, async () => {
          const found = addressesOf(await read(name)).join();
          if (found === addresses.join()) return true;
          throw new Error(`it has ${found || "none"}`);
        })
        .then(() => undefined),
    patch: async (name, change) => {
      const text = JSON.stringify(change);
      await c.ok(["patch", "service", "-n", home, name, "--type=merge", "-p", text]);
    },
    remove: async (...names) => {
      await c.ok(["delete", "service", "-n", home, ...names]);
    },
    claims: async poolPrefix => {
      const vips = (await c.get("vip"))?.items ?? [];
      return vips
        .filter(({ spec }) => (spec.pool as string).startsWith(poolPrefix))
        .filter(({ spec }) => (spec.holders as unknown[]).length > 0)
        .map(({ metadata }) => metadata.name);
    },
  };
}

/** The addresses in a Service's status. */
export function addressesOf(service: KubeObject): string[] {
  const ingress = (service.status?.loadBalancer?.ingress ?? []) as { ip: string }[];
  return ingress.map(({ ip }) => ip);
}

/** The Service's condition AddressAssigned. */
export function assignedCondition(service: KubeObject): Readonly<Record<string, string>> {
  const conditions = (service.status?.conditions ?? []) as { type: string }[];
  return (conditions.find(({ type }) => type === "AddressAssigned") ?? {}) as Record<
    string,
    string
  >;
}
