/** containerd of a real node, and the pod network it sets up. */
import { statfsSync } from "node:fs";
import type { NodePlan } from "./plan";
import { firstAddress } from "./plan";

/** Where a node's containerd listens, as seen from the node. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

/** The image that holds a pod's namespaces. */
export const PAUSE_IMAGE = "docker.io/library/ancho-pause:dev";

/** Folders of a node's containerd. */
export type ContainerdFolders = {
  /** Images and snapshots. */
  readonly root: string;
  /** CNI configuration. */
  readonly cni: string;
};

const OVERLAYFS_MAGIC = 0x794c7630;

/** An overlay cannot lie on an overlay (the lab inside a container): there, files are copied. */
export function snapshotterFor(folder: string): "overlayfs" | "native" {
  return statfsSync(folder).type === OVERLAYFS_MAGIC ? "native" : "overlayfs";
}

/** containerd's configuration (version 2, containerd 1.6). */
export function containerdConfig(folders: ContainerdFolders): string {
  return `version = 2
root = "${folders.root}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${folders.root}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Lowering oom_score_adj needs CAP_SYS_RESOURCE, which containers and small VMs often withhold.
  restrict_oom_score_adj = true
  disable_tcp_service = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${snapshotterFor(folders.root)}"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folders.cni}"
`;
}

/** CNI configuration: a bridge with the node's pod subnets, no masquerading, host ports. */
export function cniConfig(node: NodePlan, dualStack: boolean): string {
  const subnets = dualStack ? [node.podCidr4, node.podCidr6] : [node.podCidr4];
  const defaults = dualStack ? ["0.0.0.0/0", "::/0"] : ["0.0.0.0/0"];
  const config = {
    cniVersion: "0.4.0",
    name: "lab",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: subnets.map(subnet => [{ subnet, gateway: firstAddress(subnet) }]),
          routes: defaults.map(dst => ({ dst })),
          dataDir: "/run/cni-networks",
        },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
