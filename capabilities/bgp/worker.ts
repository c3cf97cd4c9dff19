import { Worker } from "node:worker_threads";

/**
 * Starts a thread. Beside a bundle lies the thread's own bundle; what runs from the sources has source, which
 * tsx reads.
 *
 * @param from - `import.meta.url` of the caller
 * @param source - the thread's source, relative to the caller
 * @param bundle - the thread's bundle, relative to the caller's
 */
export function startWorker(
  from: string,
  { source, bundle }: { readonly source: string; readonly bundle: string },
  workerData?: unknown,
): Worker {
  if (!from.endsWith(".ts")) return new Worker(new URL(bundle, from), { workerData });
  const url = JSON.stringify(new URL(source, from).href);
  const load = `import("tsx/esm/api").then(({ tsImport }) => tsImport(${url}, ${url}))`;
  return new Worker(load, { eval: true, workerData });
}
