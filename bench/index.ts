import { parseArgs } from "node:util";
import { benchClient } from "./client";
import { benchIpam } from "./ipam";
import type { Report } from "./report";

const benches: Readonly<Record<string, () => Promise<Report>>> = {
  client: benchClient,
  ipam: benchIpam,
};

/** `npm run bench -- NAME [--json]`: exits 0 when it could measure, whether or not an aim holds. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false } },
  });
  const name = positionals[0] ?? "";
  const bench = benches[name];
  if (bench === undefined) {
    const known = Object.keys(benches).join(", ");
    throw new Error(
      `no bench is called "${name}": npm run bench -- NAME [--json], one of ${known}`,
    );
  }
  const report = await bench();
  if (values.json) {
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
