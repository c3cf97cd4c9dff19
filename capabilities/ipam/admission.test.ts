import { PeprMutateRequest } from "pepr";
import type { a } from "pepr";
import { describe, expect, it } from "vitest";
import { services } from "../kube/resource";
import { mutateService } from "./admission";
import { virtualIPs } from "./claims";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import { rawPool, serviceOf } from "./fixtures";
import type { Service } from "./service";
import { validateService } from "./validation";

const POOL = rawPool("pool1", ["1.2.3.0/30", "1000::/126"]);
const ASSIGNED = "ancho.dev/assigned";
let requests = 0;

/** What the API server would store: the object after Mutate. */
async function mutate(
  h: Harness,
  object: Service,
  old?: Service,
  dryRun = false,
): Promise<Service> {
  const request = {
    uid: `request-${++requests}`,
    operation: old ? "UPDATE" : "CREATE",
    namespace: object.metadata?.namespace ?? "",
    dryRun,
    object,
    oldObject: old,
  };
  const req = new PeprMutateRequest<a.Service>(request as never);
  await mutateService(h.parts, req);
  return req.Raw;
}

async function create(h: Harness, object: Service): Promise<Service> {
  const mutated = await mutate(h, object);
  const { generateName } = mutated.metadata ?? {};
  if (generateName) (mutated.metadata ??= {}).name = `${generateName}${++requests}`;
  return h.cluster.client.create(services, mutated);
}

const fresh = (key: string, parts = {}): Service => {
  const service = serviceOf(key, parts);
  delete service.spec?.ipFamilies;
  delete service.status;
  return service;
};

describe("Mutate", () => {
  it("writes the address into the object that is being created, and claims it", async () => {
    const h = createHarness(POOL);
    const service = await create(h, fresh("shop/web"));
    expect(service.spec?.loadBalancerIP).toBe("1.2.3.0");
    expect(service.metadata?.annotations).toEqual({ [ASSIGNED]: "1.2.3.0" });
    const [vip] = h.cluster.all(virtualIPs);
    expect(vip?.spec.holders).toMatchObject([{ namespace: "shop", name: "web" }]);
    expect(vip?.spec.holders[0]).not.toHaveProperty("uid");
  });

  it("gives a second try of the same create the address of the first", async () => {
    const h = createHarness(POOL);
    await mutate(h, fresh("shop/web"));
    const again = await mutate(h, fresh("shop/web"));
    expect(again.spec?.loadBalancerIP).toBe("1.2.3.0");
    expect(h.claims()).toEqual(["1.2.3.0"]);
  });

  it("claims nothing in a dry run, but shows the choice", async () => {
    const h = createHarness(POOL);
    const shown = await mutate(h, fresh("shop/web"), undefined, true);
    expect(shown.spec?.loadBalancerIP).toBe("1.2.3.0");
    expect(h.cluster.writes).toEqual([]);
  });

  it("gives parallel creates distinct addresses, each of them confirmed later", async () => {
    const h = createHarness(POOL);
    const names = ["a", "b", "c", "d"];
    const made = await Promise.all(names.map(name => create(h, fresh(`shop/${name}`))));
    expect(new Set(made.map(({ spec }) => spec?.loadBalancerIP)).size).toBe(4);
    await h.settle();
    expect(names.map(name => h.addresses(`shop/${name}`)[0])).toEqual(
      made.map(({ spec }) => spec?.loadBalancerIP),
    );
  });

  it("tells apart Services whose names are yet to be generated", async () => {
    const h = createHarness(POOL);
    const unnamed = (): Service => {
      const service = fresh("shop/x");
      delete service.metadata?.name;
      return { ...service, metadata: { ...service.metadata, generateName: "gen-" } };
    };
    const made = [await create(h, unnamed()), await create(h, unnamed())];
    expect(made.map(({ spec }) => spec?.loadBalancerIP)).toEqual(["1.2.3.0", "1.2.3.1"]);
    await h.settle();
    const holders = h.cluster.all(virtualIPs).flatMap(({ spec }) => spec.holders);
    expect(holders.map(({ uid }) => uid)).toEqual(made.map(({ metadata }) => metadata?.uid));
  });

  it("keeps the address of an object that is replaced by one without it", async () => {
    const h = createHarness(POOL);
    const old = await create(h, fresh("shop/web"));
    await h.settle();
    const written = h.cluster.writes.length;
    const object = fresh("shop/web", { uid: old.metadata?.uid });
    const replaced = await mutate(h, object, h.service("shop/web"));
    expect(replaced.spec?.loadBalancerIP).toBe("1.2.3.0");
    expect(h.cluster.writes).toHaveLength(written);
  });

  it("keeps the address of a pin that is taken away", async () => {
    const h = createHarness(POOL);
    const old = await create(h, fresh("shop/web", { spec: { loadBalancerIP: "1.2.3.2" } }));
    await h.settle();
    const object = fresh("shop/web", { uid: old.metadata?.uid });
    await h.put(await mutate(h, object, h.service("shop/web")));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.2"]);
    expect(h.claims()).toEqual(["1.2.3.2"]);
  });

  it("takes its marks off a Service that is no LoadBalancer any more", async () => {
    const h = createHarness(POOL);
    const old = await create(h, fresh("shop/web"));
    const object = structuredClone(old);
    (object.spec ??= {}).type = "ClusterIP";
    const changed = await mutate(h, object, old);
    expect(changed.spec?.loadBalancerIP).toBeUndefined();
    expect(changed.metadata?.annotations).toEqual({});
  });

  it("does not mark a Service that has its address in the status only", async () => {
    const h = createHarness(POOL);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    const old = h.service("shop/web");
    expect(await mutate(h, structuredClone(old), old)).toEqual(old);
  });

  it("takes marks that come with a copied manifest as a wish, not as a claim", async () => {
    const h = createHarness(POOL);
    const parts = {
      spec: { loadBalancerIP: "1.2.3.2" },
      annotations: { [ASSIGNED]: "1.2.3.2" },
    };
    const copied = await create(h, fresh("shop/a", parts));
    const again = await create(h, fresh("shop/b", parts));
    expect(copied.spec?.loadBalancerIP).toBe("1.2.3.2");
    expect(again.spec?.loadBalancerIP).toBe("1.2.3.0");
  });

  it("leaves an unreachable API server to Validate and the reconciler", async () => {
    const h = createHarness(POOL);
    h.cluster.beforeWrite = () => {
      throw new Error("away");
    };
    await expect(mutate(h, fresh("shop/web"))).rejects.toThrow("away");
    h.cluster.beforeWrite = () => undefined;
    expect((await mutate(h, fresh("shop/web"))).spec?.loadBalancerIP).toBe("1.2.3.0");
  });

  it("collects a claim whose Service never came, after its time", async () => {
    const h = createHarness(POOL);
    await mutate(h, fresh("shop/never"));
    await h.settle();
    expect(h.claims()).toEqual(["1.2.3.0"]);
    h.advance(60_001);
    await h.settle();
    expect(h.claims()).toEqual([]);
  });
});

describe("Validate", () => {
  const judge = (h: Harness, service: Service, old?: Service) =>
    validateService({ ...h.parts, rejectsWaiting: false }, { service, old, namespace: "shop" });

  it("warns of a Service that has to wait", async () => {
    const h = createHarness();
    expect(await judge(h, serviceOf("shop/web"))).toEqual({
      allowed: true,
      warnings: [
        "Service shop/web has no address yet: there is no IPAddressPool yet; it will get one as soon as there is one",
      ],
    });
  });

  it("refuses a new Service that would have to wait, where that is switched on, and none that waits already", async () => {
    const h = createHarness(POOL);
    const parts = { ...h.parts, rejectsWaiting: true };
    const review = (service: Service, old?: Service) =>
      validateService(parts, { service, old, namespace: "shop" });
    const message =
      "Service shop/web has no address: no available IPs; give an IPAddressPool that is open to it more addresses, or delete a Service";
    const waits = serviceOf("shop/web");
    expect(await review(waits)).toEqual({ allowed: false, message });
    const clusterIP = serviceOf("shop/web", { spec: { type: "ClusterIP" } });
    expect(await review(waits, clusterIP)).toEqual({ allowed: false, message });
    const edited = serviceOf("shop/web", { spec: { ipFamilyPolicy: "PreferDualStack" } });
    expect(await review(edited, waits)).toMatchObject({ allowed: true });
    expect(await review(await mutate(h, fresh("shop/web")))).toEqual({
      allowed: true,
      warnings: [],
    });
  });

  it("admits an edit that changes nothing it checks, though the pool is gone", async () => {
    const h = createHarness();
    const old = serviceOf("shop/web", { spec: { loadBalancerIP: "9.9.9.9" } });
    expect(
      await judge(h, { ...old, metadata: { ...old.metadata, labels: { a: "b" } } }, old),
    ).toEqual({ allowed: true, warnings: [] });
    const moved = serviceOf("shop/web", { spec: { loadBalancerIP: "9.9.9.8" } });
    expect(await judge(h, moved, old)).toMatchObject({ allowed: false });
  });

  it("metallb 59: refuses ports and keys that those who share the address do not allow", async () => {
    const h = createHarness(POOL);
    const annotations = { "metallb.io/allow-shared-ip": "key" };
    await create(h, fresh("shop/a", { annotations }));
    const old = await create(h, fresh("shop/b", { annotations, spec: { ports: [{ port: 81 }] } }));
    await h.settle();
    const clash = structuredClone(old);
    (clash.spec ??= {}).ports = [{ port: 80, protocol: "TCP" }];
    expect(await judge(h, clash, old)).toMatchObject({
      allowed: false,
      message: expect.stringContaining("which uses its port TCP/80") as string,
    });
    const other = structuredClone(old);
    (other.spec ??= {}).ports = [{ port: 82, protocol: "TCP" }];
    expect(await judge(h, other, old)).toEqual({ allowed: true, warnings: [] });
  });
});
