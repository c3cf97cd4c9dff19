import type { Manifest } from "./manifest";
import { sparing } from "./webhooks";

type Rule = { readonly apiGroups: readonly string[]; readonly resources: readonly string[] };
type Mount = { readonly name: string };
type Container = {
  readonly name: string;
  readonly volumeMounts: readonly Mount[];
  readonly ports?: readonly unknown[];
};
type PodSpec = { readonly containers: readonly Container[]; readonly volumes: readonly Mount[] };
type DeploymentSpec = {
  readonly replicas?: number;
  readonly strategy?: unknown;
  readonly template: { readonly metadata: unknown; readonly spec: PodSpec };
};

/**
 * Pepr's manifests, made into what we would run. The pods start the module that the image holds
 * (Pepr's boot unpacks it from a Secret and leaves a dead parent behind when the module exits), the
 * root file system is read-only, probes begin at once, and the watcher has a second replica that
 * waits for the Lease. Replicas keep apart and survive a drain.
 */
export function controlPlaneObjects(
  module: readonly Manifest[],
  image: string,
): readonly Manifest[] {
  const kept = module.filter(object => !object.metadata.name.endsWith("-module"));
  return [...kept.map(object => adapt(object, image)), ...disruptionBudgets];
}

function adapt(object: Manifest, image: string): Manifest {
  if (object.kind === "Deployment") return adaptDeployment(object, image);
  if (object.kind === "ClusterRole") return withoutBootRights(object);
  return sparing(object);
}

function adaptDeployment(object: Manifest, image: string): Manifest {
  const spec = object["spec"] as DeploymentSpec;
  const pod = spec.template.spec;
  const role = object.metadata.name.endsWith("-watcher") ? "watcher" : "admission";
  return {
    ...object,
    spec: {
      ...spec,
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
      template: {
        ...spec.template,
        spec: {
          ...pod,
          containers: pod.containers.map(container => adaptContainer(container, image, role)),
          volumes: pod.volumes.filter(isNotModule),
          affinity: apartFromEachOther(role),
        },
      },
    },
  };
}

/** As the watcher's METRICS_PORT has it. */
const METRICS = { name: "metrics", containerPort: 7472 };

function adaptContainer(container: Container, image: string, role: Role): unknown {
  const probe = { httpGet: { path: "/healthz", port: 3000, scheme: "HTTPS" } };
  return {
    ...container,
    image,
    args: ["/app/dist/pepr-ancho.cjs"],
    volumeMounts: container.volumeMounts.filter(isNotModule),
    ports: [...(container.ports ?? []), ...(role === "watcher" ? [METRICS] : [])],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 2 },
    // A process that is short of CPU answers late; to restart it then would make everybody wait longer.
    livenessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    securityContext: {
      runAsUser: 65532,
      runAsGroup: 65532,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

function isNotModule(mount: Mount): boolean {
  return mount.name !== "module";
}

/** Pepr's boot applies a CRD of its own; a module that runs directly has no need of that right. */
function withoutBootRights(role: Manifest): Manifest {
  const rules = role["rules"] as readonly Rule[];
  return {
    ...role,
    rules: rules.filter(rule => !rule.resources.includes("customresourcedefinitions")),
  };
}

type Role = "admission" | "watcher";

/** The labels that Pepr gives the pods of a role. */
function labelsOf(role: Role): Readonly<Record<string, string>> {
  const app = role === "watcher" ? "pepr-ancho-watcher" : "pepr-ancho";
  return { app, "pepr.dev/controller": role };
}

function apartFromEachOther(role: Role): object {
  const podAffinityTerm = {
    labelSelector: { matchLabels: labelsOf(role) },
    topologyKey: "kubernetes.io/hostname",
  };
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }],
    },
  };
}

const disruptionBudgets: readonly Manifest[] = (["admission", "watcher"] as const).map(role => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: labelsOf(role)["app"] ?? role, namespace: "pepr-system" },
  spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(role) } },
}));
