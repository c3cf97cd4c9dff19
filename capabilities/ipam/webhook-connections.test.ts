import { once } from "node:events";
import { createServer, get } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, it } from "vitest";
import { KEEP_ALIVE_MS, keepWebhookConnections } from "./webhook-connections";

it("keeps connections for longer than the API server does, from the first request on", async () => {
  keepWebhookConnections();
  const sockets: Socket[] = [];
  const server = createServer((_, response) => response.end("ok"));
  server.on("connection", socket => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const request = get({ host: "127.0.0.1", port, headers: { connection: "keep-alive" } });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    // Node arms the timeout of an idle connection when it has sent the answer.
    expect(sockets[0]?.timeout).toBeGreaterThanOrEqual(KEEP_ALIVE_MS);
  } finally {
    sockets.forEach(socket => socket.destroy());
    server.close();
  }
});
