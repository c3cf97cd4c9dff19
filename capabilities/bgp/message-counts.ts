import { MessageType } from "./wire/codes";
import type { Message } from "./wire/message";

/** How many messages of each type went one way. */
export type MessageCounts = Readonly<Record<Message["type"], number>>;

/** Both ways, since the peer is configured. */
export type Traffic = { readonly sent: MessageCounts; readonly received: MessageCounts };

/** Counts the messages of one peer, over all its connections. */
export type TrafficCounter = {
  sent(type: Message["type"]): void;
  /** A whole message that is encoded already. */
  sentBytes(message: Uint8Array): void;
  received(type: Message["type"]): void;
  read(): Traffic;
};

const NONE: MessageCounts = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };
/** Where the header has the type (RFC 4271 section 4.1). */
const TYPE_OFFSET = 18;

export function createTrafficCounter(): TrafficCounter {
  const sent = { ...NONE };
  const received = { ...NONE };
  return {
    sent: type => (sent[type] += 1),
    sentBytes: message => {
      sent[message[TYPE_OFFSET] === MessageType.RouteRefresh ? "routeRefresh" : "update"] += 1;
    },
    received: type => (received[type] += 1),
    read: () => ({ sent: { ...sent }, received: { ...received } }),
  };
}
