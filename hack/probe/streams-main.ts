import { connect } from "node:net";
import { parseArgs } from "node:util";
import type { Stream } from "./streams";

/**
 * A client with one connection to each address, that asks and is answered on it over and over. It says `open` when all
 * have been answered once, and when its standard input ends what became of them, as JSON.
 */
const { values } = parseArgs({
  options: {
    address: { type: "string", multiple: true, default: [] },
    port: { type: "string", default: "80" },
    interval: { type: "string", default: "20" },
  },
});
const intervalMs = Number(values.interval);

/** A whole answer of the lab's web server: a header that says how long the body is, and the body. */
const ANSWER = /^HTTP\/1\.1 200 [^]*?\r\ncontent-length: (\d+)\r\n(?:[^]*?\r\n)?\r\n/i;

type Running = { address: string; answers: number; longestMs: number; broken?: string };
type Followed = { readonly end: () => Stream };

/** Who waits so long for an answer at the end does so in vain, ms. */
const STALLED_MS = 2000;

let unanswered = values.address.length;

function follow(host: string): Followed {
  const stream: Running = { address: host, answers: 0, longestMs: 0 };
  const socket = connect({ host, port: Number(values.port), noDelay: true });
  let text = "";
  let last = performance.now();
  const ask = (): void => {
    socket.write(`GET / HTTP/1.1\r\nHost: ancho\r\n\r\n`);
  };
  socket.on("connect", ask);
  socket.on("data", data => {
    text += data.toString("latin1");
    const [header = "", length] = ANSWER.exec(text) ?? [];
    if (header === "" || text.length < header.length + Number(length)) return;
    text = "";
    const now = performance.now();
    stream.longestMs = Math.round(Math.max(stream.longestMs, now - last));
    last = now;
    if (stream.answers++ === 0 && --unanswered === 0) process.stdout.write("open\n");
    setTimeout(ask, intervalMs);
  });
  socket.on("error", error => {
    stream.broken ??= error.message;
  });
  socket.on("close", () => {
    stream.broken ??= "closed by the other side";
  });
  return {
    end: () => {
      const silentMs = Math.round(performance.now() - last);
      if (silentMs > STALLED_MS) stream.broken ??= `no answer for ${silentMs} ms`;
      return stream;
    },
  };
}

const streams = values.address.map(follow);
process.stdin.resume();
process.stdin.once("end", () => {
  process.stdout.write(`${JSON.stringify(streams.map(({ end }) => end()))}\n`, () =>
    process.exit(0),
  );
});
