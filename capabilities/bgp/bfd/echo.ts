/** The echo function of one session at run time (RFC 5880 section 6.4). */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { canEcho, echoPathOf } from "./echo-path";
import type { EchoPath } from "./echo-path";
import { openEchoSocket } from "./echo-socket";
import type { EchoSocket } from "./echo-socket";
import type { BfdPath } from "./options";
import { encodeEcho, TOKEN_LENGTH } from "./wire/echo";
import type { Echo } from "./wire/echo";

export type EchoFunction = {
  /** From now on it is ready for packets to be sent, as soon as that is possible, or is done with them. */
  want(isWanted: boolean): void;
  /** Packets can be sent. */
  isReady(): boolean;
  /** Why they cannot; empty if that is not known. */
  problem(): string;
  /**
   * To be called whenever a control packet has come, of which the first tells where to send, and before the next echo
   * packet is sent. Returns how many of ours have come back.
   */
  take(): number;
  /** True if it went out. If not, it is not ready before a control packet comes again. */
  send(): boolean;
  /** The session fell: address, interface and neighbor may be others when it comes up again. */
  forget(): void;
};

/** A socket that could not be opened is tried again, ms. */
const REOPEN_MS = 2_000;

/** @param discriminator - of the session */
export function createEcho(path: BfdPath, discriminator: number): EchoFunction {
  const token = randomBytes(TOKEN_LENGTH);
  let isWanted = false;
  let open: (EchoPath & { readonly socket: EchoSocket }) | undefined;
  let problem = "";
  let failedAt = -Infinity;
  /** Of the packet that was sent last, and of the one that came back last. */
  let sent = 0;
  let returned = 0;

  function close(): void {
    open?.socket.close();
    open = undefined;
  }

  function settle(): void {
    if (!isWanted) {
      close();
      problem = "";
      failedAt = -Infinity;
    } else if (!open && performance.now() - failedAt >= REOPEN_MS) {
      try {
        open = openOn(path);
        problem = "";
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        failedAt = performance.now();
      }
    }
  }

  /** A packet that comes twice, since two have looped it, counts once. */
  function isNews({ discriminator: of, token: secret, sequence }: Echo): boolean {
    const isOurs = of === discriminator && token.equals(secret);
    if (!isOurs || sequence <= returned || sequence > sent) return false;
    returned = sequence;
    return true;
  }

  return {
    want: wanted => {
      isWanted = wanted && canEcho(path);
      settle();
    },
    isReady: () => open?.socket.isReady() ?? false,
    problem: () => problem,
    take: () => {
      settle();
      return open?.socket.take().filter(isNews).length ?? 0;
    },
    send: () => {
      if (!open) return false;
      const sequence = sent + 1;
      const packet = encodeEcho(open.address, { discriminator, token, sequence });
      const isOut = open.socket.send(packet);
      if (isOut) sent = sequence;
      else close();
      return isOut;
    },
    forget: close,
  };
}

function openOn(path: BfdPath): EchoPath & { readonly socket: EchoSocket } {
  const found = echoPathOf(path, networkInterfaces());
  if (!found) throw new Error(`no echo packets: ${path.address} is on no network of ours`);
  return { ...found, socket: openEchoSocket(found, path.address) };
}
