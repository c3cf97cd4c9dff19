/** Hosts on which commands can run: nodes, `client`, `ctl`, `sw`, and pods as `pod/NAMESPACE/NAME`. */
import type { LabContext } from "./context";
import { inMachine } from "./machine";
import { inNetns, listNetns } from "./net";
import { onNode } from "./node";
import { netnsName } from "./plan";
import { must } from "./run";

/** Name of a host, such as `n1`, `client` or `pod/default/web-0`. */
export type Host = string;

/** Namespace and name in `pod/NAMESPACE/NAME`; undefined for other hosts. */
export function parsePodHost(host: Host): { namespace: string; name: string } | undefined {
  const [word, namespace, name, ...rest] = host.split("/");
  return word === "pod" && namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

/** What `ctr containers list -q` needs to find a pod's sandbox. */
const sandboxFilter = (namespace: string, name: string): string =>
  [
    `labels."io.kubernetes.pod.namespace"==${namespace}`,
    `labels."io.kubernetes.pod.name"==${name}`,
    'labels."io.cri-containerd.kind"==sandbox',
  ].join(",");

/** The pid of a sandbox's first process, from the table that `ctr tasks list` prints. */
export function taskPid(table: string, containers: readonly string[]): string | undefined {
  const rows = table.split("\n").map(line => line.trim().split(/\s+/));
  const running = rows.find(
    ([id = "", , status]) => containers.includes(id) && status === "RUNNING",
  );
  return running?.[1];
}

async function podCommand(
  lab: LabContext,
  pod: { namespace: string; name: string },
): Promise<readonly string[] | undefined> {
  for (const node of lab.nodes.filter(other => other.kind === "real")) {
    const enter = inMachine(lab, node.name);
    const ctr = [...enter, "ctr", "-n", "k8s.io"];
    const filter = sandboxFilter(pod.namespace, pod.name);
    const ids = (await must([...ctr, "containers", "list", "-q", filter]))
      .split("\n")
      .filter(Boolean);
    const pid = ids.length > 0 ? taskPid(await must([...ctr, "tasks", "list"]), ids) : undefined;
    if (pid !== undefined) {
      return [...enter, "nsenter", `--net=/proc/${pid}/ns/net`, "--"];
    }
  }
  return undefined;
}

async function prefixOf(lab: LabContext, host: Host): Promise<readonly string[]> {
  const pod = parsePodHost(host);
  if (pod !== undefined) {
    const prefix = await podCommand(lab, pod);
    if (prefix === undefined) {
      throw new Error(`lab ${lab.name}: no pod ${pod.namespace}/${pod.name} runs on a real node`);
    }
    return prefix;
  }
  const node = lab.nodes.find(other => other.name === host);
  if (node !== undefined) {
    return onNode(lab, node);
  }
  if (!listNetns(lab.name).includes(netnsName(lab.name, host))) {
    throw new Error(
      `lab ${lab.name} has no host ${host}: use a node's name, client, ctl, sw or pod/NAMESPACE/NAME`,
    );
  }
  return inNetns(lab.name, host);
}

/**
 * The command line that runs `argv` on a host. On a real node it is in all of the node's namespaces;
 * on other hosts, and for pods, in the network namespace, with the files of the machine or node.
 */
export async function commandOn(
  lab: LabContext,
  host: Host,
  argv: readonly string[],
): Promise<readonly string[]> {
  return [...(await prefixOf(lab, host)), ...argv];
}
