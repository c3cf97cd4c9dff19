import type { AnswerSocket } from "./packet-socket";

export type KeptSocketOptions = {
  readonly open: () => AnswerSocket;
  /** How long a socket that nobody uses stays open, ms. */
  readonly keepMs: number;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
};

export type KeptSocket = {
  /** As `open` of the options. One user at a time. */
  readonly open: () => AnswerSocket;
  /** Closes what is kept. */
  stop(): void;
};

/** What arrived while nobody listened: at most what the kernel keeps. */
const FRAMES_KEPT_AT_MOST = 4096;

/**
 * One socket for who needs one again and again for a moment: to close an AF_PACKET socket waits for every processor of the
 * machine (synchronize_net), which is tens of ms where they are busy. What arrived between two uses is not heard.
 */
export function createKeptSocket({ open, keepMs, after }: KeptSocketOptions): KeptSocket {
  let socket: AnswerSocket | undefined;
  let cancel = (): void => undefined;

  function stop(): void {
    cancel();
    socket?.close();
    socket = undefined;
  }

  return {
    open: () => {
      cancel();
      const used = (socket ??= open());
      for (let i = 0; i < FRAMES_KEPT_AT_MOST && used.receive() !== undefined; i++);
      return {
        receive: () => used.receive(),
        close: () => {
          cancel = after(keepMs, stop);
        },
      };
    },
    stop,
  };
}
