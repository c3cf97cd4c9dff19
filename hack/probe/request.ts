import type { Lab } from "../lab/lab";

/** One request to port 80 from a host of the lab; the body, or undefined when none came. */
export async function request(
  lab: Lab,
  host: string,
  address: string,
): Promise<string | undefined> {
  const url = address.includes(":") ? `http://[${address}]/` : `http://${address}/`;
  const result = await lab.exec(host, ["curl", "-sS", "-g", "--max-time", "2", url]);
  return result.code === 0 ? result.stdout : undefined;
}
