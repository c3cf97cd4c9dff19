import type { Lab } from "../lab/lab";

const TABLE = "ancho_api_faults";
const PORT = 6443;

/** From now on a node hears nothing from the API server, as if that were slow: what it says comes when this ends. */
export async function holdApiServer(lab: Lab, node: string): Promise<void> {
  const chain = `chain held { type filter hook prerouting priority -300; tcp sport ${PORT} drop; }`;
  const result = await lab.exec(node, ["nft", "-f", "-"], {
    input: `table inet ${TABLE} {\n${chain}\n}\n`,
  });
  if (result.code !== 0) throw new Error(`nft on ${node}: ${result.stderr}`);
}

/** Ends what `holdApiServer` began; good also where nothing is held. */
export async function releaseApiServer(lab: Lab, node: string): Promise<void> {
  await lab.exec(node, ["nft", "delete", "table", "inet", TABLE]);
}
