import { kubectl } from "../deploy";
import type { Lab } from "../lab/lab";
import { probeDuring } from "../probe/index";
import { waitFor } from "../wait";
import { advertisement, deployment, pool, service } from "./manifests";
import type { Story } from "./story";

export type Addresses = { readonly ipv4: string; readonly ipv6: string };

export async function definePool(lab: Lab, story: Story): Promise<void> {
  story.chapter("A pool of addresses, and layer 2 to announce them: MetalLB's own manifests");
  for (const [file, text] of Object.entries({ pool, advertisement, deployment })) {
    story.command(`kubectl apply -f ${file}.yaml`);
    story.output(await kubectl(lab, ["apply", "-f", "-"], { input: text }));
  }
  await kubectl(lab, ["rollout", "status", "deployment/nginx", "--timeout=60s"]);
}

/** Create the Service and read its addresses from what create itself returned. */
export async function createService(lab: Lab, story: Story): Promise<Addresses> {
  story.chapter("A Service: its addresses are in the answer to create");
  story.command("kubectl create -f service.yaml -o json");
  const answer = await kubectl(lab, ["create", "-f", "-", "-o", "json"], { input: service });
  const created = JSON.parse(answer) as {
    metadata: { annotations?: Record<string, string> };
  };
  const value = created.metadata.annotations?.["metallb.io/loadBalancerIPs"];
  if (value === undefined) throw new Error(`create returned no address: ${answer}`);
  story.output(`metallb.io/loadBalancerIPs: ${value}`);
  const [ipv4 = "", ipv6 = ""] = value.split(",").sort((a, b) => Number(a > b) - Number(a < b));
  return { ipv4, ipv6 };
}

/** Wait until a node answers for the address; show who, by the API and by that node's kernel. */
export async function showOwner(lab: Lab, story: Story, address: string): Promise<string> {
  story.chapter("Who answers for it: anyone can see");
  const owner = await waitFor(`an owner of ${address}`, () => ownerOf(lab, address));
  story.command("kubectl get vip");
  story.output(await kubectl(lab, ["get", "vip"]));
  story.command(`ip neigh show proxy    # on ${owner}`);
  story.output((await lab.exec(owner, ["ip", "neigh", "show", "proxy"])).stdout);
  return owner;
}

/** The node that the VirtualIP's status names. */
export async function ownerOf(lab: Lab, address: string): Promise<string | undefined> {
  const path = "jsonpath={.status.intendedOwner.node}";
  return (await kubectl(lab, ["get", "vip", address, "-o", path])) || undefined;
}

export async function request(lab: Lab, story: Story, addresses: Addresses): Promise<void> {
  story.chapter("Requests from a host on the LAN (it is 172.30.0.200 and fd00:30::200)");
  for (const url of [`http://${addresses.ipv4}/`, `http://[${addresses.ipv6}]/`]) {
    story.command(`curl ${url}`);
    const body = await waitFor(`an answer from ${url}`, async () => {
      const result = await lab.exec("client", ["curl", "-sS", "--max-time", "2", url]);
      return result.code === 0 && result.stdout;
    });
    story.output(body);
  }
}

export async function cutOwner(
  lab: Lab,
  story: Story,
  address: string,
  owner: string,
): Promise<void> {
  story.chapter(`Pulling the plug of ${owner}, while a client connects every 10 ms`);
  const seen = await probeDuring(lab, { address }, () => lab.cut(owner));
  story.note(`${seen.attempts} connections, ${seen.failed} failed, outage ${seen.outageMs} ms`);
  const next = await waitFor(`a new owner of ${address}`, async () => {
    const now = await ownerOf(lab, address);
    return now !== owner && now;
  });
  story.note(`${next} took over`);
  story.command("kubectl get vip");
  story.output(await kubectl(lab, ["get", "vip"]));
  if (seen.outageMs > 2000) throw new Error(`the outage was ${seen.outageMs} ms, over 2 s`);
}

export async function deleteService(lab: Lab, story: Story, address: string): Promise<void> {
  story.chapter("Deleting the Service frees its addresses; they are kept for it for ten minutes");
  story.command("kubectl delete service nginx");
  story.output(await kubectl(lab, ["delete", "service", "nginx"]));
  await waitFor(`${address} to be free`, async () => {
    const phase = "jsonpath={.items[*].spec.phase}";
    const phases = (await kubectl(lab, ["get", "vip", "-o", phase])).split(" ");
    return phases.length === 2 && phases.every(text => text === "Released");
  });
  story.command("kubectl get vip");
  story.output(await kubectl(lab, ["get", "vip"]));
}
