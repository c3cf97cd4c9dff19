import { chmod, copyFile, mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { quietTask } from "../lab/context";
import { ensurePackages } from "../lab/packages";
import { run } from "../process";

/** The packet filter's tool, which the announcer runs, and the Debian package that it is in. */
const NFT = "/usr/sbin/nft";
const NFT_PACKAGE = "nftables";

/**
 * Lay out a file system that can run this very Node.js, and this machine's nft: the binaries and the shared
 * libraries the loader asks for, under the paths the loader knows. Returns the folder.
 */
export async function stageRuntime(root: string): Promise<string> {
  await ensurePackages(quietTask(), [NFT_PACKAGE]);
  const programs = [process.execPath, NFT];
  const listings = await Promise.all(programs.map(program => run(["ldd", program])));
  const libraries = [...new Set(listings.flatMap(parseLdd))];
  await place(process.execPath, join(root, "usr/local/bin/node"));
  await place(NFT, join(root, NFT));
  for (const library of [...libraries, ...(await nameServiceLibraries(libraries))]) {
    await place(library, join(root, library));
  }
  await write(
    join(root, "etc/passwd"),
    "root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/app:/sbin/nologin\n",
  );
  await write(join(root, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
  await write(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  await mkdir(join(root, "tmp"), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
  return root;
}

/** The absolute paths in the output of ldd; the kernel's own vdso has none and is left out. */
export function parseLdd(output: string): readonly string[] {
  return output
    .split("\n")
    .map(line => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
    .filter(path => path !== undefined);
}

/** glibc loads its resolver with dlopen, so ldd does not list it. */
async function nameServiceLibraries(libraries: readonly string[]): Promise<readonly string[]> {
  const libc = libraries.find(path => path.endsWith("/libc.so.6"));
  if (libc === undefined) return [];
  const found = await run(["find", dirname(libc), "-maxdepth", "1", "-name", "libnss_[df]*.so.2"]);
  return found.split("\n").filter(path => path !== "");
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(await realpath(from), to);
  await chmod(to, 0o755);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
