import type { Manifest } from "./manifest";

type Rule = { readonly apiGroups: readonly string[]; readonly resources: readonly string[] };
type Mount = { readonly name: string };
type Container = { readonly name: string; readonly volumeMounts: readonly Mount[] };
type PodSpec = { readonly containers: readonly Container[]; readonly volumes: readonly Mount[] };
type DeploymentSpec = {
  readonly strategy?: unknown;
  readonly template: { readonly metadata: unknown; readonly spec: PodSpec };
};

/**
 * Pepr's manifests, made into what we would run. The pods start the module that the image holds
 * (Pepr's boot unpacks it from a Secret and leaves a dead parent behind when the module exits), the
 * root file system is read-only, probes begin at once, and the two admission replicas keep apart
 * and survive a drain.
 */
export function controlPlaneObjects(
  module: readonly Manifest[],
  image: string,
): readonly Manifest[] {
  const kept = module.filter(object => !object.metadata.name.endsWith("-module"));
  return [...kept.map(object => adapt(object, image)), admissionDisruptionBudget];
}

function adapt(object: Manifest, image: string): Manifest {
  if (object.kind === "Deployment") return adaptDeployment(object, image);
  if (object.kind === "ClusterRole") return withoutBootRights(object);
  return object;
}

function adaptDeployment(object: Manifest, image: string): Manifest {
  const spec = object["spec"] as DeploymentSpec;
  const pod = spec.template.spec;
  const watcher = object.metadata.name.endsWith("-watcher");
  return {
    ...object,
    spec: {
      ...spec,
      template: {
        ...spec.template,
        spec: {
          ...pod,
          containers: pod.containers.map(container => adaptContainer(container, image)),
          volumes: pod.volumes.filter(isNotModule),
          ...(watcher ? {} : { affinity: apartFromEachOther }),
        },
      },
    },
  };
}

function adaptContainer(container: Container, image: string): unknown {
  const probe = { httpGet: { path: "/healthz", port: 3000, scheme: "HTTPS" } };
  return {
    ...container,
    image,
    args: ["/app/dist/pepr-ancho.cjs"],
    volumeMounts: container.volumeMounts.filter(isNotModule),
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 2 },
    livenessProbe: { ...probe, periodSeconds: 10 },
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

const admissionLabels = { app: "pepr-ancho", "pepr.dev/controller": "admission" };

const apartFromEachOther = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          labelSelector: { matchLabels: admissionLabels },
          topologyKey: "kubernetes.io/hostname",
        },
      },
    ],
  },
};

const admissionDisruptionBudget: Manifest = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "pepr-ancho", namespace: "pepr-system" },
  spec: { maxUnavailable: 1, selector: { matchLabels: admissionLabels } },
};
