import { build } from "esbuild";
import { inRepo } from "../../hack/repo";

/**
 * The bench's processes as users run our code: bundled, by plain Node.js; the thread's bundle lies beside. Returns the
 * folder that has them.
 */
export async function bundleHeartbeat(): Promise<string> {
  const entryPoints = {
    "heartbeat-subject": inRepo("bench/heartbeat/subject.ts"),
    "heartbeat-crowd": inRepo("bench/heartbeat/crowd.ts"),
    "heartbeat-thread": inRepo("capabilities/announce/membership/thread-main.ts"),
  };
  const outdir = inRepo(".cache/bench/heartbeat");
  await build({
    ...{ entryPoints, outdir, bundle: true, platform: "node", format: "esm" },
    ...{ packages: "external", logLevel: "error" },
  });
  return outdir;
}
