import { parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { parseMac } from "./ethernet";
import { unsolicitedAdvertisement } from "./ndp";

/** Tells the hosts on a LAN that an address is here now. */
export type Announcer = {
  /** Announces at once and then again a few times, since frames get lost. A burst under way starts over. */
  start(address: string, link: Link): void;
  /** Ends the bursts of an address that is no longer ours. */
  stop(address: string): void;
  stopAll(): void;
};

export type AnnouncerOptions = {
  /** Sends one frame; may throw. */
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Called after each announcement. */
  readonly onSent: (address: string) => void;
  readonly onError: (error: unknown, address: string, link: Link) => void;
};

/** When the announcements of a burst are sent, ms after the takeover. */
export const BURST_AT_MS: readonly number[] = [0, 200, 500, 1000, 2000];

/** The frames of one announcement on one link; none where the link has no hardware address. */
export function announcementFrames(address: IpAddress, link: Link): readonly Uint8Array[] {
  const mac = parseMac(link.mac);
  if (!mac) return [];
  if (address.family === "ipv4") {
    return [gratuitousArpRequest(address, mac), gratuitousArpReply(address, mac)];
  }
  // Without a link-local address yet (DAD under way) the address itself is the only source there is.
  const source = link.linkLocal === undefined ? undefined : parseAddress(link.linkLocal);
  return [unsolicitedAdvertisement(address, mac, source ?? address)];
}

export function createAnnouncer({ send, after, onSent, onError }: AnnouncerOptions): Announcer {
  const running = new Map<string, Map<number, () => void>>();

  function announce(address: string, link: Link): void {
    const ip = parseAddress(address);
    if (!ip) return;
    try {
      for (const frame of announcementFrames(ip, link)) send(link.index, frame);
      onSent(address);
    } catch (error) {
      onError(error, address, link);
    }
  }

  function stop(address: string): void {
    running.get(address)?.forEach(cancel => {
      cancel();
    });
    running.delete(address);
  }

  return {
    start: (address, link) => {
      const bursts = running.get(address) ?? new Map<number, () => void>();
      running.set(address, bursts);
      bursts.get(link.index)?.();
      announce(address, link);
      const cancels = BURST_AT_MS.filter(ms => ms > 0).map(ms =>
        after(ms, () => {
          announce(address, link);
        }),
      );
      bursts.set(link.index, () => {
        cancels.forEach(cancel => {
          cancel();
        });
      });
    },
    stop,
    stopAll: () => {
      [...running.keys()].forEach(stop);
    },
  };
}
