import { startBfd } from "../capabilities/bgp/index";
import type { BfdStatus, BfdWatch } from "../capabilities/bgp/index";
import { startBird } from "../hack/interop/bird";
import { createLan, enterNamespace } from "../hack/interop/netns";
import { waitFor } from "../hack/wait";
import type { Aim, Report } from "./report";

const DEFAULT_MINUTES = 10;
const MANY = 64;
const US = { v4: "10.9.1.1", v6: "fd00:91::1" };
const BIRD = { v4: "10.9.1.2", v6: "fd00:91::2" };
/** How long the main thread is busy in one go, ms, and how long it rests. */
const BUSY_MS = 200;
const REST_MS = 50;

/**
 * `npm run bench -- bfd [--minutes N]`: sessions with BIRD, 3 x 50 ms by both families and 64 of 3 x 100 ms, while
 * the thread that started them makes garbage four fifths of the time. Nothing is wrong with the path, so each
 * session that goes down is a false alarm; BIRD counts those that it raises itself.
 */
export async function benchBfd(args: readonly string[]): Promise<Report> {
  const minutes = minutesOf(args);
  const many = Array.from({ length: MANY }, (_, index) => ({
    ours: `10.9.1.${101 + index}`,
    theirs: `10.9.2.${101 + index}`,
  }));
  const lan = await createLan("bench-bfd", {
    us: { addresses: [...subnets(US), ...many.map(({ ours }) => `${ours}/16`)] },
    bird: { addresses: [...subnets(BIRD), ...many.map(({ theirs }) => `${theirs}/16`)] },
  });
  // What is measured is our thread on a busy machine, so BIRD is not to be late itself.
  const bird = await startBird(configuration(many), argv =>
    lan.inside("bird")(["chrt", "--rr", "1", ...argv]),
  );
  const bfd = startBfd();
  try {
    const leave = enterNamespace(lan.namespace("us"));
    const watch = (address: string, localAddress: string, ms: number): BfdWatch =>
      bfd.watch(
        { address, localAddress, transmitInterval: ms, receiveInterval: ms },
        () => undefined,
      );
    const watches = [
      watch(BIRD.v4, US.v4, 50),
      watch(BIRD.v6, US.v6, 50),
      ...many.map(({ ours, theirs }) => watch(theirs, ours, 100)),
    ];
    leave();
    const statuses = (): readonly BfdStatus[] => watches.map(one => one.status());
    await waitFor("the sessions", () =>
      Promise.resolve(statuses().every(({ state }) => state === "Up")),
    );
    const atFirst = await fallsOf(() => bird.log());
    const elapsed = await beBusy(minutes);
    const downs = statuses().map(({ counts }) => counts.downs);
    const theirs = (await fallsOf(() => bird.log())) - atFirst;
    const [v4 = 0, v6 = 0, ...rest] = downs;
    const others = rest.reduce((sum, count) => sum + count, 0);
    const aims = [
      aimOf(`false downs of 2 sessions of 3 x 50 ms in ${elapsed} min`, v4 + v6, theirs),
      aimOf(`false downs of ${MANY} sessions of 3 x 100 ms in ${elapsed} min`, others, theirs),
    ];
    return { bench: "bfd", aims };
  } finally {
    await bfd.stop();
    await bird.stop();
    await lan.remove();
  }
}

function minutesOf(args: readonly string[]): number {
  const [flag, value, ...more] = args;
  if (flag === undefined) return DEFAULT_MINUTES;
  const minutes = Number(value);
  if (flag !== "--minutes" || !(minutes > 0) || more.length > 0) {
    throw new Error(`this bench takes --minutes N, not ${args.join(" ")}`);
  }
  return minutes;
}

const subnets = ({ v4, v6 }: typeof US): readonly string[] => [`${v4}/16`, `${v6}/64`];

/** BIRD knows a session by its neighbor's address alone, so each has another one. */
function configuration(
  many: readonly { readonly ours: string; readonly theirs: string }[],
): string {
  const sessions = many.map(({ ours, theirs }) => `neighbor ${ours} local ${theirs};`);
  return `
    router id ${BIRD.v4};
    protocol device { }
    protocol bfd {
      debug { states };
      interface "*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
      ${sessions.join("\n")}
      neighbor ${US.v4} local ${BIRD.v4};
      neighbor ${US.v6} local ${BIRD.v6};
    }`;
}

/** Sessions that BIRD has taken from Up to something else so far. */
async function fallsOf(log: () => Promise<string>): Promise<number> {
  return (await log()).match(/changed state from Up to/g)?.length ?? 0;
}

/** Returns the minutes that it took. */
async function beBusy(minutes: number): Promise<number> {
  const start = Date.now();
  while (Date.now() - start < minutes * 60_000) {
    const end = Date.now() + BUSY_MS;
    let garbage: unknown[] = [];
    while (Date.now() < end) {
      garbage.push({ at: Date.now(), rest: new Array(100).fill(0) });
      if (garbage.length > 100_000) garbage = [];
    }
    await new Promise(resolve => setTimeout(resolve, REST_MS));
  }
  return Math.round((Date.now() - start) / 6_000) / 10;
}

function aimOf(name: string, value: number, theirs: number): Aim {
  const aim = "none";
  return { name, value, unit: "downs", aim, holds: value === 0, peers: { "BIRD's own": theirs } };
}
