import type { Lab } from "../lab/lab";
import { dropRules, setRules } from "./rules";

const TABLE = "ancho_api_faults";
const PORT = 6443;

/** From now on a node hears nothing from the API server, as if that were slow: what it says comes when this ends. */
export async function holdApiServer(lab: Lab, node: string): Promise<void> {
  const chain = `chain held { type filter hook prerouting priority -300; tcp sport ${PORT} drop; }`;
  await setRules(lab, node, TABLE, chain);
}

/** Ends what `holdApiServer` began; good also where nothing is held. */
export async function releaseApiServer(lab: Lab, node: string): Promise<void> {
  await dropRules(lab, node, TABLE);
}
