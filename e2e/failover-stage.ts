import { answerers } from "../hack/faults/wire";
import { monotonicMs, startProber } from "../hack/probe/prober";
import { measureOutage } from "../hack/probe/outage";
import type { Outage } from "../hack/probe/outage";
import { delivered } from "../hack/probe/request";
import { applyWeb, deletePool, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";

/**
 * A Service of both families whose pods are on a node that answers for nothing, so that what happens to an owner
 * takes no pod away: what a client sees is the failover and nothing else.
 */
export type Stage = {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The node of the pods. */
  readonly server: string;
  /** The nodes that may own the addresses. */
  readonly eligible: readonly string[];
};

export async function setStage(
  c: Cluster,
  name: string,
  addresses: readonly string[],
): Promise<Stage> {
  const [server = "", ...eligible] = c.lab.nodes;
  const metadata = { name, namespace: "metallb-system" };
  const apiVersion = "metallb.io/v1beta1";
  const values = eligible;
  const nodeSelectors = [
    { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] },
  ];
  await c.apply([
    { apiVersion, kind: "IPAddressPool", metadata, spec: { addresses } },
    {
      ...{ apiVersion, kind: "L2Advertisement", metadata },
      spec: { ipAddressPools: [name], nodeSelectors },
    },
  ]);
  await applyWeb(c, name, 2, server);
  return { name, addresses: await serveBoth(c, name, name), server, eligible };
}

/** Adds a Service of both families in front of a stage's pods, and returns its addresses. */
export async function serveBoth(
  c: Cluster,
  stage: string,
  service: string,
): Promise<readonly string[]> {
  const pool = { "metallb.io/address-pool": stage };
  await c.apply([serviceFor(service, stage, { ipFamilyPolicy: "RequireDualStack" }, pool)]);
  const addresses = await statusAddresses(c, service);
  await delivered(c.lab, c.lab.nodes, addresses);
  return addresses;
}

export async function clearStage(c: Cluster, name: string): Promise<void> {
  await c.ok(["delete", "service", name, "--ignore-not-found"]);
  await c.ok(["delete", "deployment", name, "--ignore-not-found"]);
  await deletePool(c, name);
}

/** All who answer for the addresses, asked once, without repetition. */
export async function owners(c: Cluster, stage: Stage, from?: string): Promise<readonly string[]> {
  const found = [];
  for (const address of stage.addresses) found.push(...(await answerers(c.lab, address, from)));
  return [...new Set(found)];
}

/** Waits until one node alone answers for all addresses. */
export async function oneOwner(
  c: Cluster,
  stage: Stage,
  isWanted: (node: string) => boolean = () => true,
): Promise<string> {
  return c.waitFor("one node to answer", async () => {
    const [owner, ...others] = await owners(c, stage);
    return owner !== undefined && others.length === 0 && isWanted(owner) && owner;
  });
}

/** What the client sees of each address from just before an event until a moment after it has returned. */
export async function seenDuring(
  c: Cluster,
  stage: Stage,
  event: () => Promise<void>,
): Promise<readonly Outage[]> {
  const prober = await startProber(c.lab, { addresses: stage.addresses });
  const allGood = async (): Promise<void> => {
    for (const address of stage.addresses) await prober.good(address, 500);
  };
  try {
    await allGood();
    const begin = monotonicMs();
    await event();
    await allGood();
    const end = monotonicMs();
    await prober.settled(end);
    return stage.addresses.map(address => measureOutage(prober.attempts(address, begin, end)));
  } finally {
    await prober.stop();
  }
}
