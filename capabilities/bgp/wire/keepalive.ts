/** "I am still here": a header and nothing else (RFC 4271 section 4.4). */
export type Keepalive = { readonly type: "keepalive" };

export const keepalive: Keepalive = { type: "keepalive" };
