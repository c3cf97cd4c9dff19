import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { kubectl } from "../../hack/deploy";
import { quietTask } from "../../hack/lab/context";
import { ensurePackages } from "../../hack/lab/packages";
import { apply, webService } from "./stage";
import type { StartSubject } from "./subject";

const IPV4 = "172.30.0.230";
const IPV6 = "fd00:30::230";

/**
 * keepalived on every light node: VRRPv3 with an advertisement each 100 ms. nopreempt, so that a node that
 * comes back takes nothing back, and both families in one group, so that they move together.
 */
export const startKeepalived: StartSubject = async (lab, progress) => {
  await ensurePackages({ ...quietTask(), progress }, ["keepalived"]);
  const service = webService("keepalived", { externalIPs: [IPV4, IPV6] });
  await apply(lab, [service]);
  const folder = await mkdtemp(join(tmpdir(), "ancho-keepalived-"));
  for (const [index, node] of lab.lightNodes.entries()) {
    const file = join(folder, node);
    await writeFile(`${file}.conf`, configuration(200 - index));
    const pid = (name: string): string => `--${name}=${file}.${name}`;
    await lab.startDaemon(node, `${node}/keepalived`, [
      ...["keepalived", "--dont-fork", "--log-console", "--vrrp", `--use-file=${file}.conf`],
      ...[pid("pid"), pid("vrrp_pid")],
    ]);
  }
  return {
    addresses: [IPV4, IPV6],
    // A backup that hears the master is one; there is no list to be on.
    rejoined: () => delay(1000),
    stop: async () => {
      await Promise.all(lab.lightNodes.map(node => lab.endDaemon(`${node}/keepalived`)));
      await kubectl(lab, ["delete", "service", "keepalived"]);
      await rm(folder, { recursive: true });
    },
  };
};

function configuration(priority: number): string {
  const instance = (family: "4" | "6", addresses: readonly string[]): string => `
vrrp_instance v${family} {
  interface eth0
  state BACKUP
  nopreempt
  virtual_router_id ${family}
  priority ${priority}
  advert_int 0.1
  virtual_ipaddress {
    ${addresses.join("\n    ")}
  }
}`;
  return [
    "global_defs {\n  vrrp_version 3\n}",
    "vrrp_sync_group both {\n  group {\n    v4\n    v6\n  }\n}",
    instance("4", [`${IPV4}/24 dev eth0`]),
    // Of IPv6, the first address must be the link-local one that it speaks from.
    instance("6", ["fe80::230/64 dev eth0", `${IPV6}/64 dev eth0`]),
    "",
  ].join("\n");
}
