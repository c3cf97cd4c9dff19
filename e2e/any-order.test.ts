import { afterAll, beforeAll, describe, it } from "vitest";
import { addressesOf } from "./services";
import type { Cluster, KubeObject } from "./support";
import { cluster } from "./support";

const NAMESPACE = "metallb-system";
const NAME = "any-order";

/** Everything that refers to something, beside what it refers to; each is valid only with the others. */
const MANIFEST = [
  {
    ...custom("v1beta1", "IPAddressPool"),
    spec: {
      addresses: ["172.30.0.176-172.30.0.179"],
      serviceAllocation: { namespaces: [NAME] },
    },
  },
  { ...custom("v1beta1", "L2Advertisement"), spec: { ipAddressPools: [NAME] } },
  {
    ...custom("v1beta1", "BGPAdvertisement"),
    spec: { ipAddressPools: [NAME], peers: [NAME], communities: ["any-order-alias"] },
  },
  {
    ...custom("v1beta1", "Community"),
    spec: { communities: [{ name: "any-order-alias", value: "64512:1" }] },
  },
  {
    ...custom("v1beta2", "BGPPeer"),
    spec: {
      ...{ myASN: 64512, peerASN: 64513, peerAddress: "172.30.0.253", bfdProfile: NAME },
      passwordSecret: { name: NAME },
    },
  },
  { ...custom("v1beta1", "BFDProfile"), spec: { receiveInterval: 300 } },
  {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: NAME, namespace: NAMESPACE } },
    ...{ type: "kubernetes.io/basic-auth", stringData: { password: "s" } },
  },
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: NAME, namespace: NAME } },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: NAME } },
  },
] as const;

function custom(version: string, kind: string) {
  const metadata = { name: NAME, namespace: NAMESPACE };
  return { apiVersion: `metallb.io/${version}`, kind, metadata };
}

describe("a manifest of objects that refer to each other", () => {
  let c: Cluster;

  beforeAll(async () => {
    c = await cluster();
    await c.ok(["create", "namespace", NAME]);
  });

  afterAll(async () => {
    await remove();
    await c.ok(["delete", "namespace", NAME, "--ignore-not-found", "--wait=false"]);
  });

  const orders = [
    ["as it is written", [0, 1, 2, 3, 4, 5, 6, 7]],
    ["backwards", [7, 6, 5, 4, 3, 2, 1, 0]],
    ["the Service and what refers first, the pool last", [7, 2, 4, 1, 6, 3, 5, 0]],
    ["the peer in the middle, its Secret last", [1, 7, 3, 4, 0, 2, 5, 6]],
  ] as const;

  it.each(orders)("applied %s ends in the same: valid, and with an address", async (_, order) => {
    for (const index of order) {
      const input = JSON.stringify(MANIFEST[index]);
      await c.ok(["apply", "-f", "-"], { input });
    }
    await c.waitFor("the Service to have its address", async () => {
      const service = (await c.get("service", "-n", NAME, NAME))!;
      return addressesOf(service).join() === "172.30.0.176";
    });
    await c.waitFor("no part of Ancho to find anything wrong", async () => {
      const states = (await c.get("configurationstates", "-n", NAMESPACE))?.items ?? [];
      return states.length > 0 && states.every(isValid);
    });
    await remove();
  });

  async function remove(): Promise<void> {
    await c.ok(["delete", "service", "-n", NAME, NAME, "--ignore-not-found"]);
    // What is referred to by a BGPPeer is protected from deletion, so that goes first.
    const kinds = "bgppeer,bgpadvertisement,l2advertisement,community,bfdprofile,secret";
    for (const kind of [...kinds.split(","), "ipaddresspool"]) {
      await c.ok(["delete", kind, "-n", NAMESPACE, NAME, "--ignore-not-found"]);
    }
    await c.waitFor("the address to be free", async () => {
      const vip = await c.get("vip", "172.30.0.176");
      return ((vip?.spec.holders ?? []) as unknown[]).length === 0;
    });
  }
});

function isValid(state: KubeObject): boolean {
  return state.status?.result === "Valid";
}
