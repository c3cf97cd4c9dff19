import type { Lab } from "../lab/lab";

/** The sum of a metric over all its labels in what an announcer exposes; undefined where it is not there. */
export function sumOf(text: string, name: string): number | undefined {
  const values = text
    .split("\n")
    .filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map(line => Number(line.slice(line.lastIndexOf(" ") + 1)));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** What the announcer of a node says of a metric; undefined where it does not answer. */
export async function announcerMetric(
  lab: Lab,
  node: string,
  name: string,
): Promise<number | undefined> {
  const url = "http://127.0.0.1:7473/metrics";
  const result = await lab.exec(node, ["curl", "-s", "--max-time", "2", url]);
  return sumOf(result.stdout, name);
}
