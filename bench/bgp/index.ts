/** bgp-ts as an announcer, beside BIRD and GoBGP, to one receiver. */
import { percentile } from "../failover/statistics";
import type { Aim, Report } from "../report";
import { median, round } from "../report";
import { bird, gobgp } from "./announcers";
import type { StartAnnouncer } from "./announcers";
import { bgpTs, changeLatencies, memoryGrowth } from "./ours";
import { transfer } from "./scenario";
import type { Size, Transfer } from "./scenario";

const TRIES = 3;
const CHANGES = 1_000;

/** All that are compared; they take turns. */
const announcers = {
  "bgp-ts": bgpTs,
  "BIRD 2": bird(2.17),
  "BIRD 3": bird(3),
  GoBGP: gobgp,
} as const satisfies Readonly<Record<string, StartAnnouncer>>;
type Name = keyof typeof announcers;
const names = Object.keys(announcers) as readonly Name[];

/** What is aimed for, as a ratio to the quicker BIRD; other sizes are measured for the table only. */
const sizes: readonly (Size & { readonly aim?: number })[] = [
  { peers: 1, prefixes: 1_000 },
  { peers: 1, prefixes: 10_000, aim: 1 },
  { peers: 1, prefixes: 100_000, aim: 1 },
  { peers: 10, prefixes: 1_000 },
  { peers: 10, prefixes: 10_000 },
  { peers: 10, prefixes: 100_000 },
  { peers: 8, prefixes: 100_000, aim: 1 },
  { peers: 32, prefixes: 10_000 },
];

type Medians = Readonly<Record<Name, Transfer>>;

/** Takes about eight minutes, and one more the first time, for BIRD and GoBGP. */
export async function benchBgp(): Promise<Report> {
  const aims: Aim[] = [];
  for (const size of sizes) {
    const medians = await compare(size);
    aims.push(timeAim(size, medians), ...costAims(size, medians));
  }
  const large = { peers: 8, prefixes: 100_000 };
  aims.push(...latencyAims(await changeLatencies({ peers: 1, prefixes: 100_000 }, CHANGES)));
  const growth = await memoryGrowth(large);
  const name = `${label(large)}: growth of the process from an idle speaker to its peak`;
  aims.push(upTo({ name, value: growth, unit: "MiB" }, 150));
  return { bench: "bgp", aims };
}

async function compare(size: Size): Promise<Medians> {
  const all = new Map<Name, Transfer[]>(names.map(name => [name, []]));
  for (let i = 0; i < TRIES; i++) {
    for (const name of names) all.get(name)?.push(await transfer(size, announcers[name]));
  }
  return Object.fromEntries([...all].map(([name, runs]) => [name, medianOf(runs)])) as Medians;
}

function medianOf(runs: readonly Transfer[]): Transfer {
  const of = (key: keyof Transfer): number => median(runs.map(run => run[key]));
  return {
    ms: of("ms"),
    cpuSeconds: of("cpuSeconds"),
    peakRssMiB: of("peakRssMiB"),
    updates: of("updates"),
    octets: of("octets"),
  };
}

function timeAim(size: (typeof sizes)[number], medians: Medians): Aim {
  const ratio = medians["bgp-ts"].ms / Math.min(medians["BIRD 2"].ms, medians["BIRD 3"].ms);
  return {
    name: `${label(size)}: from established to the last prefix, as a ratio to the quicker BIRD`,
    value: round(ratio),
    unit: "ratio",
    aim: size.aim === undefined ? "none" : `≤ ${size.aim}`,
    holds: size.aim === undefined || ratio <= size.aim,
    peers: ofAll(medians, "ms", "ms"),
  };
}

function costAims(size: Size, medians: Medians): readonly Aim[] {
  const { cpuSeconds, peakRssMiB, updates, octets } = medians["bgp-ts"];
  const fewest = Math.ceil(size.prefixes / FULL) + 1;
  return [
    {
      ...{ name: `${label(size)}: UPDATEs to each peer`, value: updates, unit: "messages" },
      aim: `≤ ${fewest}, as full as 4096 octets allow`,
      holds: updates <= fewest,
      peers: { ...ofAll(medians, "updates"), octets },
    },
    {
      ...{ name: `${label(size)}: CPU of the announcer`, value: round(cpuSeconds), unit: "s" },
      ...{ aim: "none", holds: true },
      peers: ofAll(medians, "cpuSeconds", "s"),
    },
    {
      ...{ name: `${label(size)}: peak memory`, value: round(peakRssMiB), unit: "MiB" },
      ...{ aim: "none", holds: true },
      peers: ofAll(medians, "peakRssMiB", "MiB"),
    },
  ];
}

/** Prefixes of /32 in one message, with the attributes that are needed between two ASes. */
const FULL = Math.floor((4096 - 23 - 20) / 5);

const label = ({ peers, prefixes }: Size): string => `${peers} × ${prefixes}`;

function ofAll(medians: Medians, key: keyof Transfer, unit = ""): Readonly<Record<string, number>> {
  return Object.fromEntries(
    names.map(name => [`${name} ${unit}`.trimEnd(), round(medians[name][key])]),
  );
}

function latencyAims({
  changes,
  lagP99,
  lagMax,
}: Awaited<ReturnType<typeof changeLatencies>>): readonly Aim[] {
  const what = "one change, from the call to the receiver, with 100000 announced";
  const [p50, p99] = [percentile(changes, 50), percentile(changes, 99)];
  return [
    upTo({ name: `${what}, p50`, value: p50, unit: "ms" }, 2),
    upTo({ name: `${what}, p99`, value: p99, unit: "ms" }, 10, { max: Math.max(...changes) }),
    upTo(
      { name: "lag of the event loop while 100000 are sent, p99", value: lagP99, unit: "ms" },
      20,
      {
        max: lagMax,
      },
    ),
  ];
}

function upTo(
  figure: Pick<Aim, "name" | "value" | "unit">,
  limit: number,
  peers: Aim["peers"] = {},
): Aim {
  const { value, unit } = figure;
  return {
    ...figure,
    value: round(value),
    aim: `≤ ${limit} ${unit}`,
    holds: value <= limit,
    peers: Object.fromEntries(Object.entries(peers).map(([who, n]) => [who, round(n)])),
  };
}
