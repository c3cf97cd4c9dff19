import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Attempt } from "./outage";
import { measureOutage } from "./outage";

/**
 * A client that opens a new connection every few milliseconds and prints, as one JSON object, the
 * outage it saw. It writes the ready file after its first good answer, and ends one second after an
 * outage healed (unless `--until limit`), or at the time limit.
 */
const { values } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    port: { type: "string", default: "80" },
    interval: { type: "string", default: "10" },
    limit: { type: "string", default: "20000" },
    ready: { type: "string", default: "" },
    until: { type: "string", default: "healed" },
  },
});

const host = isIPv6(values.address) ? `[${values.address}]` : values.address;
const url = `http://${host}:${values.port}/`;
const attempts: Attempt[] = [];
let announced = false;

async function attempt(): Promise<void> {
  const at = performance.now();
  const ok = await answers();
  attempts.push({ at, ok });
  if (ok && !announced && values.ready !== "") {
    announced = true;
    writeFileSync(values.ready, "ready\n");
  }
}

/** One request on a connection of its own, so that every attempt asks the network anew. */
function answers(): Promise<boolean> {
  return new Promise(resolve => {
    const request = get(url, { agent: false, timeout: 500 }, response => {
      response.resume();
      response.once("end", () => {
        resolve(response.statusCode === 200);
      });
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", () => {
      resolve(false);
    });
  });
}

/** Healed: something failed, and the last second was good throughout. */
function healed(now: number): boolean {
  const lastFailure = attempts.findLast(a => !a.ok)?.at;
  return lastFailure !== undefined && now - lastFailure > 1500 && (attempts.at(-1)?.ok ?? false);
}

const end = performance.now() + Number(values.limit);
const pending = new Set<Promise<void>>();
while (performance.now() < end && !(values.until === "healed" && healed(performance.now()))) {
  const one = attempt().finally(() => pending.delete(one));
  pending.add(one);
  await sleep(Number(values.interval));
}
await Promise.all(pending);
console.log(JSON.stringify(measureOutage(attempts)));
