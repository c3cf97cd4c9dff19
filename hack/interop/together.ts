import { settleAll } from "../wait";

type Stoppable = { stop(): Promise<void> };

/**
 * Waits for programs that are starting side by side. What ends each of them goes to `stops` as soon as it runs, so
 * that none is left behind where another one does not start.
 *
 * @throws the first error, after all have started or failed
 */
export async function startTogether<P extends Readonly<Record<string, Stoppable>>>(
  starting: { readonly [Name in keyof P]: Promise<P[Name]> },
  stops: (() => Promise<void>)[],
): Promise<P> {
  const started = Object.entries<Promise<Stoppable>>(starting).map(async ([name, start]) => {
    const program = await start;
    stops.push(() => program.stop());
    return [name, program] as const;
  });
  return Object.fromEntries(await settleAll(started)) as P;
}
