import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolManifest } from "./fixtures";
import { serviceTools } from "./services";
import type { ServiceTools } from "./services";
import type { Cluster } from "./support";
import { cluster } from "./support";

const NAME = "reject-waiting";
const POOL = { name: NAME, addresses: ["172.30.0.163/32"] };
const ADMISSION = ["-n", "pepr-system", "deployment/pepr-ancho"];

describe("with ANCHO_REJECT_WAITING a new Service", () => {
  let c: Cluster;
  let s: ServiceTools;

  beforeAll(async () => {
    c = await cluster();
    s = serviceTools(c, NAME);
    await c.ok(["create", "namespace", NAME]);
    await c.apply([poolManifest(POOL)]);
    await s.create({ name: "first" });
    await s.create({ name: "waits" });
    await set("ANCHO_REJECT_WAITING=true");
  });

  afterAll(async () => {
    await set("ANCHO_REJECT_WAITING-");
    await c.ok(["delete", "namespace", NAME, "--ignore-not-found"]);
    await c.ok(["-n", "metallb-system", "delete", "ipaddresspool", NAME, "--ignore-not-found"]);
  });

  async function set(variable: string): Promise<void> {
    await c.ok(["set", "env", ...ADMISSION, variable]);
    await c.ok(["rollout", "status", ...ADMISSION, "--timeout=120s"]);
  }

  it("that there is no address for is refused, and one that waits already can be edited", async () => {
    const sentence = `Service ${NAME}/more has no address: no available IPs; give an IPAddressPool that is open to it more addresses, or delete a Service`;
    await c.waitFor("the old admission servers to be gone", async () => {
      const answer = await s.tryCreate({ name: "more" }, "--dry-run=server");
      expect(answer.stderr).toContain(sentence);
      return answer.code !== 0;
    });
    await s.patch("waits", { spec: { ports: [{ port: 81 }] } });
    await s.patch("first", { spec: { type: "ClusterIP" } });
    await s.settled("waits", ["172.30.0.163"]);
  });
});
