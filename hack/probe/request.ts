import type { Lab } from "../lab/lab";
import { waitFor } from "../wait";

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

/**
 * Waits until each node's kube-proxy delivers. What a client sends there before leaves an entry of conntrack without DNAT,
 * and that swallows, for two minutes, each connection that the client begins from the same port later.
 */
export async function delivered(
  lab: Lab,
  nodes: readonly string[],
  addresses: readonly string[],
): Promise<void> {
  for (const node of nodes)
    for (const address of addresses)
      await waitFor(`kube-proxy of ${node} to deliver ${address}`, () =>
        request(lab, node, address),
      );
}
