import { deployAncho } from "../deploy";
import type { Lab } from "../lab/lab";
import { downLab, upLab } from "../lab/lab";
import { prepareMachine } from "../lab/prepare";
import { run } from "../process";
import * as acts from "./acts";
import { createStory } from "./story";

const story = createStory(
  line => {
    console.log(line);
  },
  () => performance.now(),
);
const labName = "demo";

/** Ctrl-C ends the story, and everything is taken down all the same. */
const interrupt = new AbortController();
const interrupted = new Promise<never>((_, reject) => {
  interrupt.signal.addEventListener("abort", () => {
    reject(new Error("interrupted"));
  });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    interrupt.abort();
  });
}

/** `npm run demo`: everything comes up, one Service lives its life, everything goes down again. */
async function main(): Promise<void> {
  story.chapter("What the lab needs (the first time: builds Kubernetes, about ten minutes)");
  await prepareMachine(story.note, interrupt.signal);
  story.chapter("Building Ancho and its image");
  await run(["npm", "run", "--silent", "build"]);
  await run(["npm", "run", "--silent", "image"]);
  story.chapter("A cluster: control plane, three nodes, a client, on one LAN");
  await downLab(labName);
  const lab = await upLab({ name: labName, nodes: 3 }, story.note, interrupt.signal);
  story.chapter("Ancho, as a user installs it");
  await deployAncho(lab, "manifest", story.note);
  await tell(lab);
}

async function tell(lab: Lab): Promise<void> {
  await acts.definePool(lab, story);
  const addresses = await acts.createService(lab, story);
  const owner = await acts.showOwner(lab, story, addresses.ipv4);
  await acts.request(lab, story, addresses);
  await acts.cutOwner(lab, story, addresses.ipv4, owner);
  await acts.deleteService(lab, story, addresses.ipv4);
}

try {
  await Promise.race([main(), interrupted]);
  story.chapter("That was Ancho. Taking everything down");
} catch (error) {
  story.chapter("The demo failed. Taking everything down");
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await downLab(labName);
}
// What an interrupted act still waits for must not hold the process.
process.exit();
