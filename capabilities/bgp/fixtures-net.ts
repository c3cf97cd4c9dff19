import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

export const HOST = "127.0.0.1";

/** A port that nobody listens on. */
export async function freePort(host = HOST): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
