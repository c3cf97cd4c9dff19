import { createKubeClient } from "../kube/client";
import { createEventRecorder } from "../kube/events";
import { startHttp } from "../kube/http";
import { createLogger } from "../kube/log";
import type { Logger } from "../kube/log";
import { startAgent } from "./agent";
import type { Agent } from "./agent";
import { removeForwarding } from "./handover/nft";
import { openKernel } from "./layer2/netlink";
import { cleanUp } from "./layer2/responder";
import { createMetrics } from "./metrics";
import { helpText, readCommand } from "./options";
import type { Options } from "./options";
import { openPacketSocket } from "./packet/packet-socket";
import type { OwnPod } from "./status/service-status-object";

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** A release that takes so much longer than the drain has hung; the pod's grace period must be longer than both. */
const RELEASE_LIMIT_MS = 6000;
const SOON_MS = 100;

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2), process.env);
  switch (command.do) {
    case "help":
      process.stdout.write(helpText());
      return;
    case "fail":
      process.stderr.write(`announcer: ${command.message}\nTry --help.\n`);
      process.exitCode = EXIT_USAGE;
      return;
    case "cleanup":
      await runCleanUp(command.sysctlRoot);
      return;
    case "run":
      await run(command.options);
      return;
  }
}

async function runCleanUp(sysctlRoot: string): Promise<void> {
  const kernel = openKernel();
  const problems = [...(await cleanUp(kernel, sysctlRoot)), ...(await removeForwarding())];
  kernel.close();
  problems.forEach(problem => process.stderr.write(`announcer: ${problem}\n`));
  process.exitCode = problems.length > 0 ? EXIT_FAILED : EXIT_OK;
}

async function run(options: Options): Promise<void> {
  const log = createLogger("announcer");
  // The Kubernetes client reads the file that KUBECONFIG names.
  if (options.kubeconfig !== undefined) process.env["KUBECONFIG"] = options.kubeconfig;
  const metrics = createMetrics();
  const state: { agent?: Agent } = {};
  const server = await startHttp({
    host: options.metricsHost,
    port: options.metricsPort,
    registry: metrics.registry,
    isReady: () => state.agent?.isReady() ?? false,
    setBy: "--metrics-address",
  });
  const client = createKubeClient({ fieldManager: "ancho-announcer" });
  const events = createEventRecorder(client, "ancho-announcer", undefined, log);
  const pod = ownPod(options.namespace);
  const agent = await startAgent({
    options,
    client,
    events,
    kernel: openKernel(),
    socket: openPacketSocket(),
    metrics,
    log,
    ...(pod ? { pod } : {}),
  });
  log.info({ node: options.nodeName }, "started");
  state.agent = agent;
  const release = once((signal: string) => {
    server.close();
    const limitMs = RELEASE_LIMIT_MS + options.bgpDrainMs;
    stopAgent(agent, log, { signal, limitMs }).catch(() => process.exit(EXIT_FAILED));
  });
  process.on("SIGTERM", release);
  process.on("SIGINT", release);
}

async function stopAgent(
  agent: Agent,
  log: Logger,
  { signal, limitMs }: { readonly signal: string; readonly limitMs: number },
): Promise<void> {
  log.info({ signal }, "handing over and ending");
  setTimeout(() => process.exit(EXIT_FAILED), limitMs).unref();
  await agent.stop();
  log.info({}, "ended");
  // Watches and kept connections may hold the process; all that matters is done.
  setTimeout(() => process.exit(EXIT_OK), SOON_MS);
}

/** An owner reference works only within a namespace. */
function ownPod(namespace: string): OwnPod | undefined {
  const { POD_NAME: name, POD_UID: uid, POD_NAMESPACE: own } = process.env;
  return name !== undefined && uid !== undefined && own === namespace ? { name, uid } : undefined;
}

function once(callback: (signal: string) => void): (signal: string) => void {
  let isCalled = false;
  return signal => {
    if (isCalled) return;
    isCalled = true;
    callback(signal);
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`announcer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(EXIT_FAILED);
});
