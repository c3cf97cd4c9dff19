import { createHash } from "node:crypto";
import { parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { parseMac } from "./ethernet";
import { advertisementToRouters, unsolicitedAdvertisement } from "./ndp";

/** Tells the hosts on a LAN that an address is here now. */
export type Announcer = {
  /** Announces at once and then again a few times, since frames get lost. A burst under way starts over. */
  start(address: string, link: Link): void;
  /** From now on these addresses are announced again now and then, each on its link; no others. */
  refresh(bindings: readonly { readonly address: string; readonly link: Link }[]): void;
  /** Ends the bursts of an address that is no longer ours. */
  stop(address: string): void;
  stopAll(): void;
};

export type AnnouncerOptions = {
  /** Sends one frame; may throw. */
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  /**
   * Time between two announcements of an address that stays, ms; 0 for none. A switch forgets where a silent address is
   * sooner than a router that asks nobody does.
   */
  readonly refreshMs: number;
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
  const from = source ?? address;
  return [unsolicitedAdvertisement(address, mac, from), advertisementToRouters(address, mac, from)];
}

/** A refresh is spread over so many parts of its interval. */
const PARTS = 60;

function partOf(address: string): number {
  return createHash("sha256").update(address).digest().readUInt16BE(0) % PARTS;
}

export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { send, after, refreshMs, onSent, onError } = options;
  const running = new Map<string, Map<number, () => void>>();
  let refreshed: Parameters<Announcer["refresh"]>[0] = [];
  let cancelRefresh: (() => void) | undefined;

  function refreshPart(part: number): void {
    for (const { address, link } of refreshed) {
      if (partOf(address) === part) announce(address, link);
    }
    cancelRefresh = after(refreshMs / PARTS, () => {
      refreshPart((part + 1) % PARTS);
    });
  }

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
    refreshed = refreshed.filter(one => one.address !== address);
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
    refresh: bindings => {
      refreshed = bindings;
      if (refreshMs <= 0 || cancelRefresh) return;
      cancelRefresh = after(refreshMs / PARTS, () => {
        refreshPart(0);
      });
    },
    stop,
    stopAll: () => {
      cancelRefresh?.();
      [...running.keys()].forEach(stop);
    },
  };
}
