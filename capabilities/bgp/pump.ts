import type { MessageStream } from "./connection";

/** Octets that one write takes along: enough for the kernel, little enough for other sessions. */
const BATCH = 65_536;

/** Brings messages to a connection as fast as the peer reads, and no faster. */
export type Pump = {
  /** There may be something to send. What is asked for in one turn of the event loop goes out together. */
  schedule(): void;
  /** Sends what the kernel takes at once. */
  flush(): void;
};

/**
 * @param stream - where to now; undefined while there is no session
 * @param next - the next whole message
 * @param stalled - told whether the peer leaves unread what was written
 */
export function createPump(
  stream: () => MessageStream | undefined,
  next: () => Uint8Array | undefined,
  stalled: (isStalled: boolean) => void,
): Pump {
  let isDue = false;

  function schedule(): void {
    if (!isDue) {
      isDue = true;
      setImmediate(() => {
        isDue = false;
        if (writeOnce()) schedule();
      });
    }
  }

  /** Writes until the kernel takes no more; then the send hold timer watches the peer. */
  function writeOnce(): boolean {
    const to = stream();
    if (to === undefined) return false;
    if (to.pending() > 0) {
      stalled(true);
      return false;
    }
    stalled(false);
    const batch = nextBatch(next);
    if (batch === undefined) return false;
    const isTaken = to.write(batch);
    if (!isTaken) stalled(true);
    return isTaken;
  }

  return {
    schedule,
    flush: () => {
      while (writeOnce());
    },
  };
}

function nextBatch(next: () => Uint8Array | undefined): Uint8Array | undefined {
  const messages: Uint8Array[] = [];
  for (let length = 0; length < BATCH; length += messages.at(-1)?.length ?? 0) {
    const message = next();
    if (message === undefined) break;
    messages.push(message);
  }
  return messages.length === 0 ? undefined : Buffer.concat(messages);
}
