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

/** Runs a callback every so many ms; the returned function ends that. */
export function startInterval(ms: number, callback: () => void): () => void {
  const timer = setInterval(callback, ms);
  return () => {
    clearInterval(timer);
  };
}
