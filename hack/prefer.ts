import { kubectl } from "./deploy";
import type { Lab } from "./lab/lab";

/** From now on an L2Advertisement prefers this node; undefined: none before others. */
export async function preferNode(
  lab: Lab,
  l2Advertisement: string,
  node: string | undefined,
): Promise<void> {
  const preference = { matchLabels: { "kubernetes.io/hostname": node } };
  const preferredNodeSelectors = node === undefined ? null : [{ weight: 1, preference }];
  const patch = JSON.stringify({ spec: { preferredNodeSelectors } });
  const target = ["-n", "metallb-system", "patch", "l2advertisement", l2Advertisement];
  await kubectl(lab, [...target, "--type=merge", "-p", patch]);
}
