import type { Lab } from "../lab/lab";

/** Gives a node a table of nft, family inet, with these chains and no others. */
export async function setRules(
  lab: Lab,
  node: string,
  table: string,
  chains: string,
): Promise<void> {
  await dropRules(lab, node, table);
  const input = `table inet ${table} {\n${chains}\n}\n`;
  const result = await lab.exec(node, ["nft", "-f", "-"], { input });
  if (result.code !== 0) throw new Error(`nft on ${node}: ${result.stderr}`);
}

/** Takes it away; good also where there is none. */
export async function dropRules(lab: Lab, node: string, table: string): Promise<void> {
  await lab.exec(node, ["nft", "delete", "table", "inet", table]);
}
