import { benchAnnouncer } from "./announcer/index";
import { benchBfd } from "./bfd/index";
import { benchBgp } from "./bgp/index";
import { benchClient } from "./client";
import { benchFailover } from "./failover/index";
import { benchFlows } from "./flows/index";
import { benchHeartbeat } from "./heartbeat/index";
import { benchIpam } from "./ipam/index";
import { benchMemory } from "./ipam/memory";
import type { Report } from "./report";

/** What a bench takes from the command line after its name; those that take nothing refuse everything. */
type Bench = (args: readonly string[]) => Promise<Report>;

const benches: Readonly<Record<string, Bench>> = {
  announcer: withoutArguments(benchAnnouncer),
  bfd: benchBfd,
  bgp: withoutArguments(benchBgp),
  client: withoutArguments(benchClient),
  failover: benchFailover,
  flows: withoutArguments(benchFlows),
  heartbeat: withoutArguments(benchHeartbeat),
  ipam: withoutArguments(benchIpam),
  "ipam-memory": withoutArguments(benchMemory),
};

function withoutArguments(bench: () => Promise<Report>): Bench {
  return async args => {
    if (args.length > 0) throw new Error(`this bench takes no argument ${args.join(" ")}`);
    return bench();
  };
}

/** `npm run bench -- NAME [--json]`: exits 0 when it could measure, whether or not an aim holds. */
async function main(): Promise<void> {
  const [name = "", ...rest] = process.argv.slice(2);
  const bench = benches[name];
  if (bench === undefined) {
    const known = Object.keys(benches).join(", ");
    throw new Error(
      `no bench is called "${name}": npm run bench -- NAME [--json], one of ${known}`,
    );
  }
  const report = await bench(rest.filter(argument => argument !== "--json"));
  if (rest.includes("--json")) {
    console.log(JSON.stringify(report));
    return;
  }
  for (const aim of report.aims) {
    const peers = Object.entries(aim.peers).map(([who, value]) => `${who} ${value}`);
    console.log(`${aim.holds ? "holds" : "MISSES"}  ${aim.name}: ${aim.value} ${aim.unit}`);
    console.log(`        aim ${aim.aim}; beside it: ${peers.join(", ")}`);
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
