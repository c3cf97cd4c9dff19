/**
 * Runs what is handed over one after another, each when what it waits for is done, too, and all in the order in which
 * they came. The returned promise is for its own turn. What it waits for must not reject.
 */
export function inTurn(): (run: () => void, after?: Promise<unknown>) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return (run, after) => {
    const turn = last.then(() => after).then(run);
    last = turn;
    return turn;
  };
}
