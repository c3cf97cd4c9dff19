import type { RouteAttributes } from "../attribute-set";
import type { Peer, StopOptions } from "../peer";
import type { PeerOptions } from "../peer-options";
import type { SessionChange } from "../session";
import { createSpeaker } from "../speaker";
import type { Transport } from "../transport/transport";
import type { ConfigRoute, SpeakConfig } from "./config";

/** Something that happened, as it is printed: one object on a line. */
export type SpeakEvent = Readonly<Record<string, string | number | boolean>> & {
  readonly event: "listening" | "up" | "down";
};

/** A speaker that does what a file says. */
export type Speaking = { stop(how: StopOptions): Promise<void> };

/** @throws Error if it cannot listen, RangeError if an option is out of its range */
export async function speak(
  config: SpeakConfig,
  print: (event: SpeakEvent) => void,
  transport?: Transport,
): Promise<Speaking> {
  const { as, routerId, listen } = config;
  const speaker = createSpeaker({
    ...{ as, routerId },
    ...(listen && { listen }),
    ...(transport && { transport }),
  });
  await speaker.listening();
  if (listen) print({ event: "listening", address: listen.address, port: listen.port });
  for (const { routes = [], ...options } of config.peers) {
    const name = options.address ?? options.interface ?? "";
    const peer = speaker.addPeer({
      ...(options as PeerOptions),
      onChange: change => {
        print(eventOf(name, change));
      },
    });
    [...config.routes, ...routes].forEach(route => {
      announce(peer, route);
    });
  }
  return { stop: how => speaker.stop({ drainTime: config.drainTime, ...how }) };
}

function announce(peer: Peer, { prefixes, ...attributes }: ConfigRoute): void {
  peer.announce(prefixes, attributes as RouteAttributes);
}

function eventOf(peer: string, change: SessionChange): SpeakEvent {
  if (change.type === "down") {
    return { event: "down", peer, reason: change.reason, wasUp: change.wasUp };
  }
  const { peerAs, holdTime, families } = change.session;
  return { event: "up", peer, peerAs, holdTime, families: families.join(",") };
}
