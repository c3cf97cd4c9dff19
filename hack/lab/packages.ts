/** Debian packages that the lab's nodes and hosts need, installed by name where missing. */
import type { Task } from "./context";
import { run, runAttached } from "./run";

/** `arping` is Thomas Habets' one: iputils-arping takes other options. */
export const requiredPackages = [
  "arping",
  "conntrack",
  "containerd",
  "containernetworking-plugins",
  "iproute2",
  "iptables",
  "iputils-ping",
  "ndisc6",
  "nftables",
  "openssl",
  "procps",
  "runc",
  "socat",
  "tcpdump",
] as const;

/** Which of `wanted` are not installed, from what `dpkg-query -W -f '${Package} ${db:Status-Status}\n'` prints. */
export function missingPackages(wanted: readonly string[], listing: string): readonly string[] {
  const installed = new Set(
    listing
      .split("\n")
      .filter(line => line.endsWith(" installed"))
      .map(line => line.slice(0, -" installed".length)),
  );
  return wanted.filter(name => !installed.has(name));
}

async function findMissing(wanted: readonly string[]): Promise<readonly string[]> {
  const format = "${Package} ${db:Status-Status}\n";
  const query = ["dpkg-query", "-W", "-f", format, ...wanted];
  const result = await run(query).catch(() => undefined);
  if (result === undefined) {
    throw new Error(
      `this machine has no dpkg: the lab installs Debian packages (${wanted.join(", ")}); run it on Debian or Ubuntu`,
    );
  }
  return missingPackages(wanted, result.stdout);
}

/** Installs what is missing of `wanted` with apt-get, output on stderr. */
export async function ensurePackages(
  task: Task,
  wanted: readonly string[] = requiredPackages,
): Promise<void> {
  const missing = await findMissing(wanted);
  if (missing.length === 0) {
    return;
  }
  task.progress(`installing Debian packages: ${missing.join(" ")}`);
  const aptGet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
  await runAttached([...aptGet, "update"], ["ignore", 2, 2]);
  const code = await runAttached(
    [...aptGet, "install", "-y", "--no-install-recommends", ...missing],
    ["ignore", 2, 2],
  );
  if (code !== 0) {
    throw new Error(`apt-get install ${missing.join(" ")} failed (exit code ${code}), see above`);
  }
}
