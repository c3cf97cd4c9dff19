import { describe, expect, it } from "vitest";
import { rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import { validateService } from "./validation";

const SHARE = "metallb.io/allow-shared-ip";
const IPS = "metallb.io/loadBalancerIPs";

function poolWith(sharing: string): object {
  const pool = rawPool("a", ["10.0.0.0/30"]) as { metadata: object };
  return {
    ...pool,
    metadata: { ...pool.metadata, annotations: { "ancho.dev/sharing": sharing } },
  };
}

async function put(h: Harness, key: string, port: number, asked?: string): Promise<string> {
  const annotations = { [SHARE]: "k", ...(asked === undefined ? {} : { [IPS]: asked }) };
  await h.put(serviceOf(key, { annotations, spec: { ports: [{ port, protocol: "TCP" }] } }));
  await h.settle();
  return h.addresses(key).join();
}

describe("a pool that shares within a namespace", () => {
  it("gives the same key of another namespace another address", async () => {
    const h = createHarness(poolWith("namespace"));
    expect(await put(h, "shop/web", 80)).toBe("10.0.0.0");
    expect(await put(h, "other/web", 81)).toBe("10.0.0.1");
    expect(await put(h, "shop/api", 82)).toBe("10.0.0.0");
    expect(await put(h, "other/api", 83)).toBe("10.0.0.1");
  });

  it("keeps out who asks for the address, and says why", async () => {
    const h = createHarness(poolWith("namespace"));
    await put(h, "shop/web", 80);
    expect(await put(h, "other/web", 81, "10.0.0.0")).toBe("");
    expect(h.events.join("\n")).toContain(
      'annotation metallb.io/loadBalancerIPs "10.0.0.0" is held by shop/web of another namespace, and its IPAddressPool has ancho.dev/sharing "namespace"; ask for another address',
    );
  });

  it("says so at admission already", async () => {
    const h = createHarness(poolWith("namespace"));
    await put(h, "shop/web", 80);
    const annotations = { [SHARE]: "k", [IPS]: "10.0.0.0" };
    const spec = { ports: [{ port: 81, protocol: "TCP" }] };
    const judge = (namespace: string) => {
      const service = serviceOf(`${namespace}/new`, { annotations, spec });
      return validateService(
        { ...h.parts, rejectsWaiting: false },
        { service, old: undefined, namespace },
      );
    };
    expect(await judge("shop")).toMatchObject({ allowed: true });
    expect(await judge("other")).toMatchObject({
      allowed: false,
      message: expect.stringContaining("Service other/new: annotation metallb.io") as string,
    });
  });

  it("puts nobody out who shares already, and lets one who left not come back", async () => {
    const h = createHarness(poolWith("all"));
    expect(await put(h, "shop/web", 80)).toBe("10.0.0.0");
    expect(await put(h, "other/web", 81)).toBe("10.0.0.0");
    h.setPools(poolWith("namespace"));
    await h.settle();
    expect(h.addresses("other/web")).toEqual(["10.0.0.0"]);
    expect(await put(h, "other/web", 82)).toBe("10.0.0.0");
    await h.remove("other/web");
    await h.settle();
    expect(await put(h, "other/web", 82)).toBe("10.0.0.1");
  });

  it("shares with all again when the annotation goes", async () => {
    const h = createHarness(poolWith("namespace"));
    await put(h, "shop/web", 80);
    h.setPools(rawPool("a", ["10.0.0.0/30"]));
    expect(await put(h, "other/web", 81)).toBe("10.0.0.0");
  });
});
