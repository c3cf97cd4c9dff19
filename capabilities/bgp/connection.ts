import type { Socket } from "node:net";
import type { CodecContext } from "./wire/attributes/codec";
import { decodeMessage, encodeMessage, HEADER_LENGTH, MAX_LENGTH, readFrame } from "./wire/message";
import type { Message } from "./wire/message";
import type { WireError } from "./wire/result";

/** What happens on a connection. After `closed` or `malformed` nothing else comes. */
export type ConnectionHandlers = {
  message(message: Message): void;
  malformed(error: WireError): void;
  closed(reason: string): void;
  /** All that was written has gone out: more can be. */
  drained(): void;
};

/** Messages over a TCP connection. */
export type MessageStream = {
  readonly socket: Socket;
  /** UPDATEs from now on are written in the terms of the session (RFC 6793). */
  setContext(context: CodecContext, maxLength: number): void;
  send(message: Message): void;
  /** Whole messages, already encoded. False if it is better to wait for `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Octets that wait for the peer to read. */
  pending(): number;
  /** Sends what was written, as far as that goes soon, and closes. Resolves when it is closed. */
  close(): Promise<void>;
};

/** How long the last words may take; a peer that does not read would otherwise never be rid of. */
const LINGER_MS = 1_000;

/** Reads and writes messages on a connected socket, which it owns from now on. */
export function openMessageStream(socket: Socket, handlers: ConnectionHandlers): MessageStream {
  let context: CodecContext = { fourOctetAs: true, isInternal: false };
  let buffer: Uint8Array = new Uint8Array();
  let isOver = false;
  let maxLength = MAX_LENGTH;

  function end(tell: () => void): void {
    if (!isOver) {
      isOver = true;
      tell();
    }
  }

  function receive(chunk: Uint8Array): void {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    while (!isOver) {
      const frame = readFrame(buffer, maxLength);
      if (!frame.ok) {
        fail(frame.error);
        return;
      }
      if (frame.value === undefined) {
        return;
      }
      buffer = buffer.subarray(HEADER_LENGTH + frame.value.body.length);
      const message = decodeMessage(frame.value, context);
      if (!message.ok) {
        fail(message.error);
        return;
      }
      handlers.message(message.value);
    }
  }

  function fail(error: WireError): void {
    end(() => {
      handlers.malformed(error);
    });
  }

  function closed(reason: string): void {
    end(() => {
      handlers.closed(reason);
    });
  }

  socket.setNoDelay(true);
  socket.on("data", receive);
  socket.on("drain", () => {
    if (!isOver) handlers.drained();
  });
  socket.on("error", error => {
    closed(error.message);
  });
  socket.on("end", () => {
    closed("the peer closed the connection");
  });
  socket.on("close", () => {
    closed("the connection is closed");
  });

  return {
    socket,
    setContext: (to, longest) => {
      context = to;
      maxLength = longest;
    },
    send: message => {
      socket.write(encodeMessage(message, context));
    },
    write: bytes => socket.write(bytes),
    pending: () => socket.writableLength,
    close: async () => {
      isOver = true;
      if (socket.closed) return;
      const end = new Promise<void>(resolve =>
        socket.once("close", () => {
          resolve();
        }),
      );
      socket.end();
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      await end;
      clearTimeout(timer);
    },
  };
}
