import { BGP_SECRETS_ROLE } from "../../capabilities/config/bgp/password";
import type { Manifest } from "./manifest";

const name = "ancho-announcer";
const namespace = "metallb-system";
const labels = { app: "ancho", component: "announcer" };
const read = ["get", "list", "watch"];
const roleSubject = { kind: "ServiceAccount", name, namespace };

/**
 * How V8 is to run the announcer: of 1,000 Services about 30 MiB are alive, but left to itself it lets garbage grow to a
 * hundred before it collects. With these flags the process takes half the memory, and no more CPU at rest; the last one
 * keeps it from collecting every second while many statuses are written (docs/scaling.md).
 */
export const announcerFlags = [
  "--optimize-for-size",
  "--max-semi-space-size=2",
  "--heap-growing-percent=100",
  "--single-threaded-gc",
] as const;

/** The node agent: one pod per node, on the host's network, with two capabilities and no others. */
export function announcerObjects(image: string): readonly Manifest[] {
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: namespace,
        labels: {
          "pod-security.kubernetes.io/enforce": "privileged",
          "pod-security.kubernetes.io/audit": "privileged",
          "pod-security.kubernetes.io/warn": "privileged",
        },
      },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    ...clusterRights,
    ...namespaceRights,
    ...secretRights,
    daemonSet(image),
  ];
}

const clusterRights: readonly Manifest[] = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name },
    rules: [
      { apiGroups: [""], resources: ["services", "nodes"], verbs: read },
      // The condition Announced.
      { apiGroups: [""], resources: ["services/status"], verbs: ["patch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
      { apiGroups: ["ancho.dev"], resources: ["virtualips"], verbs: read },
      { apiGroups: ["ancho.dev"], resources: ["virtualips/status"], verbs: ["patch"] },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "get", "patch"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [roleSubject],
  },
];

const namespaceRights: readonly Manifest[] = [
  role(name, [
    {
      apiGroups: ["metallb.io"],
      resources: [
        ...["ipaddresspools", "l2advertisements"],
        ...["bgppeers", "bgpadvertisements", "communities", "bfdprofiles"],
      ],
      verbs: read,
    },
    {
      apiGroups: ["metallb.io"],
      resources: ["servicel2statuses", "servicebgpstatuses"],
      verbs: [...read, "create", "delete"],
    },
    {
      apiGroups: ["metallb.io"],
      resources: ["configurationstates"],
      verbs: [...read, "create"],
    },
    {
      apiGroups: ["metallb.io"],
      resources: [
        ...["servicel2statuses/status", "servicebgpstatuses/status"],
        "configurationstates/status",
      ],
      verbs: ["patch"],
    },
    // The configuration of MetalLB 0.12 and older.
    { apiGroups: [""], resources: ["configmaps"], resourceNames: ["config"], verbs: read },
    // The key of the heartbeats. A name could not restrict create, since the object has none yet.
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["memberlist"], verbs: read },
    { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
  ]),
  binding(name, roleSubject),
];

/**
 * The passwords of BGPPeers are in Secrets of any name. The control plane keeps the names that BGPPeers name in a Role,
 * which it can do without being able to read them itself: `escalate` lets it grant what it does not have, there only.
 */
const secretRights: readonly Manifest[] = [
  // Without the field, an install that is applied again, or a GitOps tool, leaves alone what the control plane wrote.
  role(BGP_SECRETS_ROLE),
  binding(BGP_SECRETS_ROLE, roleSubject),
  role(`${BGP_SECRETS_ROLE}-keeper`, [
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles"],
      resourceNames: [BGP_SECRETS_ROLE],
      verbs: [...read, "patch", "escalate"],
    },
  ]),
  binding(`${BGP_SECRETS_ROLE}-keeper`, {
    ...{ kind: "ServiceAccount", name: "pepr-ancho", namespace: "pepr-system" },
  }),
];

function role(of: string, rules?: readonly object[]): Manifest {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  return { apiVersion, kind: "Role", metadata: { name: of, namespace }, ...(rules && { rules }) };
}

function binding(of: string, subject: typeof roleSubject): Manifest {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: of, namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: of },
    subjects: [subject],
  };
}

function daemonSet(image: string): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          hostNetwork: true,
          dnsPolicy: "ClusterFirstWithHostNet",
          priorityClassName: "system-node-critical",
          terminationGracePeriodSeconds: 10,
          tolerations: [{ operator: "Exists" }],
          nodeSelector: { "kubernetes.io/os": "linux" },
          containers: [container(image)],
          // runc mounts /proc/sys read-only in a container without privileges; the announcer has to
          // set proxy_ndp and proxy_delay, which are its own network namespace's, that is the node's.
          volumes: [{ name: "sys-net", hostPath: { path: "/proc/sys/net", type: "Directory" } }],
        },
      },
    },
  };
}

function container(image: string): unknown {
  const probe = (path: string): unknown => ({ httpGet: { path, port: "metrics" } });
  return {
    name: "announcer",
    image,
    imagePullPolicy: "IfNotPresent",
    args: [...announcerFlags, "/app/dist/announcer.js", "--sysctl-root=/host/sys-net"],
    env: [
      fieldRef("NODE_NAME", "spec.nodeName"),
      fieldRef("POD_NAME", "metadata.name"),
      fieldRef("POD_UID", "metadata.uid"),
      fieldRef("POD_NAMESPACE", "metadata.namespace"),
      { name: "METALLB_NAMESPACE", value: namespace },
    ],
    ports: [
      { name: "metrics", containerPort: 7473 },
      { name: "heartbeat", containerPort: 7946, protocol: "UDP" },
    ],
    startupProbe: { ...(probe("/healthz") as object), periodSeconds: 1, failureThreshold: 60 },
    // Short of CPU, it answers late; a restart would make it read everything anew.
    livenessProbe: {
      ...(probe("/healthz") as object),
      ...{ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    },
    readinessProbe: { ...(probe("/readyz") as object), periodSeconds: 2 },
    // No CPU limit: throttling would delay heartbeats, and a late heartbeat moves addresses.
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [{ name: "sys-net", mountPath: "/host/sys-net" }],
  };
}

function fieldRef(variable: string, fieldPath: string): unknown {
  return { name: variable, valueFrom: { fieldRef: { fieldPath } } };
}
