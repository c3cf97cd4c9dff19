import { inject } from "vitest";
import { kubectl as checkedKubectl } from "../hack/deploy";
import type { Lab } from "../hack/lab/lab";
import { openLab } from "../hack/lab/lab";
import type { RunResult } from "../hack/lab/run";
import { waitFor } from "../hack/wait";

/** What a test needs of the shared lab: the lab itself, kubectl, and small readers of objects. */
export type Cluster = {
  readonly lab: Lab;
  /** kubectl as a user calls it: exit code and output, whatever they are. */
  readonly kubectl: (args: readonly string[], options?: { input?: string }) => Promise<RunResult>;
  /** kubectl that must succeed; returns standard output. */
  readonly ok: (args: readonly string[], options?: { input?: string }) => Promise<string>;
  /** `kubectl get -o json`, parsed; undefined when the object is not there. */
  readonly get: <T = KubeObject>(...args: readonly string[]) => Promise<T | undefined>;
  /** `kubectl apply -f -` of objects or YAML text; must succeed. */
  readonly apply: (manifest: string | readonly object[]) => Promise<string>;
  readonly waitFor: typeof waitFor;
};

// Tests reach into many kinds of objects; the assertions are what gives these fields a shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Fields = any;

/** The fields of Kubernetes objects that e2e tests read. */
export type KubeObject = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Fields;
  readonly status?: Fields;
  readonly items?: readonly KubeObject[];
};

let opened: Promise<Cluster> | undefined;

/** The lab that the global set-up brought up, with Ancho installed. */
export function cluster(): Promise<Cluster> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Cluster> {
  const lab = await openLab(inject("labName"));
  const kubectl: Cluster["kubectl"] = (args, options = {}) => lab.kubectl([...args], options);
  const ok: Cluster["ok"] = (args, options = {}) => checkedKubectl(lab, args, options);
  return {
    lab,
    kubectl,
    ok,
    waitFor,
    get: async <T>(...args: readonly string[]) => {
      const result = await kubectl(["get", ...args, "-o", "json"]);
      if (result.code === 0) return JSON.parse(result.stdout) as T;
      if (result.stderr.includes("NotFound")) return undefined;
      throw new Error(`kubectl get ${args.join(" ")}: ${result.stderr}`);
    },
    apply: manifest =>
      ok(["apply", "-f", "-"], {
        input:
          typeof manifest === "string"
            ? manifest
            : JSON.stringify({ apiVersion: "v1", kind: "List", items: manifest }),
      }),
  };
}
