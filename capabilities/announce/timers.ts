/** Waits so many ms. */
export function delay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Runs a callback after some ms; the returned function cancels it. */
export function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => {
    clearTimeout(timer);
  };
}

/** Runs a callback after what has come already; the returned function cancels it. */
export function startImmediate(callback: () => void): () => void {
  const immediate = setImmediate(callback);
  return () => {
    clearImmediate(immediate);
  };
}

/** Runs a callback every so many ms; the returned function ends that. */
export function startInterval(ms: number, callback: () => void): () => void {
  const timer = setInterval(callback, ms);
  return () => {
    clearInterval(timer);
  };
}

/**
 * Makes one run of many calls: the first call runs the callback at once, and all that come in the ms after a run
 * are one more run when these are over. So no change waits longer, and a flood of them costs no more than its time.
 * `ms` is asked for after each run.
 */
export function atMostEvery(
  ms: () => number,
  callback: () => void,
): { call(): void; stop(): void } {
  let isResting = false;
  let isDue = false;
  let stop = (): void => undefined;

  function run(): void {
    isResting = true;
    isDue = false;
    stop = startTimer(ms(), () => {
      isResting = false;
      if (isDue) run();
    });
    callback();
  }

  return {
    call: () => {
      if (isResting) isDue = true;
      else run();
    },
    stop: () => {
      stop();
    },
  };
}
