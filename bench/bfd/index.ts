import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { startBfd } from "../../capabilities/bgp/index";
import type { Bfd } from "../../capabilities/bgp/index";
import type { Bird } from "../../hack/interop/bird";
import { createLan, enterNamespace } from "../../hack/interop/netns";
import { waitFor } from "../../hack/wait";
import type { Aim, Report } from "../report";
import { countFalls } from "./falls";
import type { Falls } from "./falls";
import { giveUpPriority } from "../../hack/interop/privilege";
import { configurationOf, fallsIn, hostsOf, pairsOf, startRouter } from "./routers";
import type { Pair } from "./routers";

const DEFAULT_MINUTES = "10";
/** Of 3 x 100 ms. */
const MANY = 64;
/** How long the main thread is busy in one go, ms, and how long it rests. */
const BUSY_MS = 200;
const REST_MS = 50;

/**
 * `npm run bench -- bfd [--minutes N] [--sessions N] [--without-priority]`: sessions with BIRD, 3 x 50 ms by both
 * families and 64 (or so many) of 3 x 100 ms, while the thread that started them makes garbage four fifths of the time. Nothing is wrong with the
 * path, so each session that goes down is a false alarm, ours if we missed BIRD's packets, BIRD's if it missed ours.
 * What is measured is our thread on a machine that is busy anyhow, so that BIRD has real-time priority and is not
 * late itself. A second BIRD without it has the same sessions with the first.
 */
export async function benchBfd(args: readonly string[]): Promise<Report> {
  const { minutes, sessions, isPreferred } = optionsOf(args);
  const ours = pairsOf("us", sessions);
  const others = pairsOf("other", sessions);
  const lan = await createLan("bench-bfd", hostsOf(ours, others));
  const router = await startRouter(lan.inside("bird"), configurationOf("bird", ours, others), true);
  const other = await startRouter(
    lan.inside("other"),
    configurationOf(
      "other",
      others.map(({ near, far, ms }) => ({ near: far, far: near, ms })),
    ),
    false,
  );
  if (!isPreferred) giveUpPriority();
  const bfd = startBfd();
  try {
    const leave = enterNamespace(lan.namespace("us"));
    const watched = ours.map(pair => watch(bfd, pair));
    leave();
    const isSettled = async (): Promise<boolean> =>
      watched.every(one => one.isUp()) &&
      ((await other.ask("show bfd sessions")).match(/ Up /g)?.length ?? 0) === others.length;
    await waitFor("the sessions", isSettled);
    const before = await fallsIn(router, others);
    const { elapsed, load } = await beBusy(minutes);
    const beside = (await fallsIn(router, others)) - before;
    await proveThatFallsAreSeen(router, other, others);
    const aims = (sessions > 0 ? [50, 100] : [50]).map(ms => {
      const some = watched.filter((_, at) => ours[at]?.ms === ms).map(one => one.falls());
      const what = `${some.length} sessions of 3 x ${ms} ms in ${elapsed} min at load ${load}`;
      return aimOf(`false downs of ${what}`, some, {
        [`${others.length} of 3 x 50 ms of a BIRD without priority`]: beside,
      });
    });
    return { bench: "bfd", aims };
  } finally {
    await bfd.stop();
    await router.stop();
    await other.stop();
    await lan.remove();
  }
}

/** A count that is none is worth nothing if it could not be another: a BIRD that is killed falls once in each session. */
async function proveThatFallsAreSeen(
  router: Bird,
  other: Bird,
  others: readonly Pair[],
): Promise<void> {
  const before = await fallsIn(router, others);
  await other.stop("SIGKILL");
  const isSeen = async (): Promise<boolean> =>
    (await fallsIn(router, others)) === before + others.length;
  await waitFor("BIRD to log that all sessions with the other one fell", isSeen);
}

type Options = {
  readonly minutes: number;
  readonly sessions: number;
  readonly isPreferred: boolean;
};

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: DEFAULT_MINUTES },
      sessions: { type: "string", default: String(MANY) },
      "without-priority": { type: "boolean", default: false },
    },
  });
  const [minutes, sessions] = [Number(values.minutes), Number(values.sessions)];
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no time`);
  if (!Number.isInteger(sessions) || sessions < 0 || sessions > MANY) {
    throw new Error(`--sessions ${values.sessions} is not from 0 to ${MANY}`);
  }
  return { minutes, sessions, isPreferred: !values["without-priority"] };
}

function watch(bfd: Bfd, { near, far, ms }: Pair): { isUp(): boolean; falls(): Falls } {
  const counter = countFalls();
  const timers = { transmitInterval: ms, receiveInterval: ms };
  const one = bfd.watch({ address: far, localAddress: near, ...timers }, counter.take);
  return { isUp: () => one.status().state === "Up", falls: counter.falls };
}

/** Returns the minutes that it took, and the machine's average load meanwhile. */
async function beBusy(minutes: number): Promise<{ elapsed: number; load: number }> {
  const start = Date.now();
  const loads: number[] = [];
  while (Date.now() - start < minutes * 60_000) {
    const end = Date.now() + BUSY_MS;
    let garbage: unknown[] = [];
    while (Date.now() < end) {
      garbage.push({ at: Date.now(), rest: new Array(100).fill(0) });
      if (garbage.length > 100_000) garbage = [];
    }
    loads.push(loadavg()[0] ?? 0);
    await new Promise(resolve => setTimeout(resolve, REST_MS));
  }
  const load = loads.reduce((sum, one) => sum + one, 0) / loads.length;
  return { elapsed: round((Date.now() - start) / 60_000), load: round(load) };
}

const round = (value: number): number => Math.round(10 * value) / 10;
const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function aimOf(name: string, falls: readonly Falls[], beside: Aim["peers"]): Aim {
  const byUs = sumOf(falls.map(one => one.byUs));
  const byThem = sumOf(falls.map(one => one.byThem));
  const value = byUs + byThem;
  const peers = {
    "of them found by us": byUs,
    "of them found by BIRD": byThem,
    ...beside,
  };
  return { name, value, unit: "downs", aim: "none", holds: value === 0, peers };
}
