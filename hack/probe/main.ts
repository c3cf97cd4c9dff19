import { connect } from "node:net";
import { parseArgs } from "node:util";
import type { Batch } from "./batch";

/**
 * A client that opens a new connection to each address every few milliseconds and sends one request
 * on it. What came of them goes to standard output, a JSON object per line (`Batch`); it ends when its
 * standard input does.
 */
const { values } = parseArgs({
  options: {
    address: { type: "string", multiple: true, default: [] },
    port: { type: "string", default: "80" },
    interval: { type: "string", default: "10" },
  },
});

const port = Number(values.port);
const intervalMs = Number(values.interval);
/** A handshake that takes longer has failed; the kernel repeats a lost SYN only after a second. */
const CONNECT_MS = 500;
/**
 * How long the answer may take on a connection that stands: a web server that gets no CPU is not a lost connection,
 * and what is lost ends by a reset when the kernel repeats it, to whoever has the address then.
 */
const ANSWER_MS = 3000;
const REPORT_MS = 25;
/** Attempts that were due while this process got no CPU are made up for, up to so many. */
const MAX_BEHIND = 4;

/** The machine's monotonic clock, the same in every process, ms. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

let ended: Batch["attempts"][number][] = [];
const pending = new Set<{ readonly at: number }>();

function attempt(index: number, host: string): void {
  const one = { at: now() };
  pending.add(one);
  const socket = connect({ host, port, noDelay: true });
  const end = (failure?: string): void => {
    if (!pending.delete(one)) return;
    ended.push(failure === undefined ? [index, one.at] : [index, one.at, failure]);
    // By RST, so that neither side keeps the connection and ports do not run out.
    socket.resetAndDestroy();
  };
  // Where this process got no CPU itself, what has come meanwhile is read before the verdict.
  const after = (ms: number, verdict: () => void): NodeJS.Timeout =>
    setTimeout(() => {
      setImmediate(verdict);
    }, ms);
  let timer = after(CONNECT_MS, () => {
    if (socket.connecting) end(`no handshake in ${CONNECT_MS} ms`);
  });
  socket.once("connect", () => {
    clearTimeout(timer);
    timer = after(ANSWER_MS, () => {
      end(`no answer in ${ANSWER_MS} ms`);
    });
  });
  socket.once("close", () => {
    clearTimeout(timer);
    end("closed without an answer");
  });
  socket.on("error", ({ message }) => {
    end(message);
  });
  socket.once("data", data => {
    const [line = ""] = data.toString("latin1").split("\r\n");
    end(/^HTTP\/1\.[01] 200 /.test(line) ? undefined : line);
  });
  socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
}

let due = now();
const ticks = setInterval(
  () => {
    due = Math.max(due, now() - MAX_BEHIND * intervalMs);
    for (; due <= now(); due += intervalMs)
      values.address.forEach((host, i) => {
        attempt(i, host);
      });
  },
  Math.min(intervalMs, 2),
);

const reports = setInterval(() => {
  const settled = Math.min(now(), ...[...pending].map(({ at }) => at));
  const batch: Batch = { settled, attempts: ended };
  ended = [];
  process.stdout.write(`${JSON.stringify(batch)}\n`);
}, REPORT_MS);

process.stdin.resume();
process.stdin.once("end", () => {
  clearInterval(ticks);
  clearInterval(reports);
  process.exit(0);
});
