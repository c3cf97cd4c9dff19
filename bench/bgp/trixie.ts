/** A Debian 13 in a folder, for the newest BIRDs: those of the Debian that runs here may be years older. */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { debianMirror } from "../../hack/interop/debian";
import { run } from "../../hack/process";
import { inRepo } from "../../hack/repo";

const root = inRepo(".cache/bench/trixie");

/** Both have the same file names, so the second one is unpacked beside the system. */
export const birds = {
  "BIRD 2": "/usr/sbin/bird",
  "BIRD 3": "/opt/bird3/usr/sbin/bird",
} as const;

/**
 * The folder, made at the first call in about two minutes, from where this machine's own packages come.
 * @throws Error with the words of the program that failed.
 */
export async function trixieRoot(): Promise<string> {
  if (existsSync(root)) return root;
  const unfinished = `${root}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await run(["apt-get", "-q", "update"]);
  await run(["apt-get", "-q", "-y", "install", "debootstrap"]);
  await run(["debootstrap", "--variant=minbase", "trixie", unfinished, await debianMirror()]);
  const inside = ["env", "DEBIAN_FRONTEND=noninteractive", "chroot", unfinished];
  await run([...inside, "apt-get", "-q", "-y", "install", "--no-install-recommends", "bird2"]);
  await run([
    ...inside,
    "sh",
    "-c",
    "cd /opt && apt-get -q download bird3 && dpkg -x bird3*.deb bird3",
  ]);
  await rename(unfinished, root);
  return root;
}
