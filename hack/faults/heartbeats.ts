import type { Lab } from "../lab/lab";
import { dropRules, setRules } from "./rules";

const TABLE = "ancho_faults";
const PORT = 7946;

/** Which heartbeats a node loses: of those that it sends, that it gets, or both; and how many in a hundred. */
export type Loss = {
  readonly direction: "out" | "in" | "both";
  readonly percent: number;
};

/** The chains for nft; random where not all are lost. */
export function lossRules({ direction, percent }: Loss): string {
  const drop =
    percent >= 100 ? "drop" : `numgen random mod 1000 < ${Math.round(percent * 10)} drop`;
  const chain = (hook: "input" | "output"): string =>
    `chain ${hook} { type filter hook ${hook} priority -300; udp dport ${PORT} ${drop}; }`;
  const chains = [
    ...(direction === "out" ? [] : [chain("input")]),
    ...(direction === "in" ? [] : [chain("output")]),
  ];
  return chains.join("\n");
}

/** From now on a node loses heartbeats and nothing else. What was lost before by this is forgotten. */
export async function loseHeartbeats(lab: Lab, node: string, loss: Loss): Promise<void> {
  await setRules(lab, node, TABLE, lossRules(loss));
}

/** Ends what `loseHeartbeats` began; good also where nothing is lost. */
export async function stopLosses(lab: Lab, node: string): Promise<void> {
  await dropRules(lab, node, TABLE);
}
