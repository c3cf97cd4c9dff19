import type { Lab } from "../lab/lab";

const OTHER = "br1";

/**
 * Splits the LAN: these hosts get a switch of their own. Their links stay up, they hear each other, and nobody of
 * the other half. The lab's gateway stays where it was.
 */
export async function partition(lab: Lab, hosts: readonly string[]): Promise<void> {
  await ip(lab, [
    `link add ${OTHER} type bridge`,
    `link set ${OTHER} up`,
    ...hosts.map(host => `link set ${host} master ${OTHER}`),
  ]);
}

/** One LAN again; good also when it is one. */
export async function join(lab: Lab, hosts: readonly string[]): Promise<void> {
  await ip(
    lab,
    hosts.map(host => `link set ${host} master br0`),
  );
  await lab.exec("sw", ["ip", "link", "delete", OTHER]);
}

async function ip(lab: Lab, lines: readonly string[]): Promise<void> {
  const result = await lab.exec("sw", ["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (result.code !== 0) throw new Error(`ip on the switch: ${result.stderr}`);
}
