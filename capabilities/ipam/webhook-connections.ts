import { subscribe } from "node:diagnostics_channel";
import type { Server } from "node:http";

/**
 * Longer than the API server keeps a connection that it does not use (90 s, client-go's transport), so that it is the
 * one who closes. Node would after 5 s: most creates would begin with a TLS handshake, and one that is sent in the moment
 * of closing is lost to the webhook and admitted without an address.
 */
export const KEEP_ALIVE_MS = 95_000;

/** Has the HTTP servers of this process keep the connections of their clients. Pepr makes its server itself and has no option for it. */
export function keepWebhookConnections(): void {
  subscribe("http.server.request.start", message => {
    const { server } = message as { readonly server: Server };
    server.keepAliveTimeout = KEEP_ALIVE_MS;
  });
}
