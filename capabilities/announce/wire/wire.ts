import { parseAddress } from "../../config/address";
import type { AddressRange, IpAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { arpProbeReply } from "../packet/arp";
import { announcementFrames } from "../packet/burst";
import { parseMac } from "../packet/ethernet";
import { listenFilter } from "../packet/listen-filter";
import type { HeardFrame, ListenSocket } from "../packet/packet-socket";
import { probeFrame } from "../packet/probe";
import { queryOn } from "../packet/query";
import { readSighting } from "../packet/sighting";
import type { Sighting } from "../packet/sighting";
import type { WireDuty } from "./duties";
import { NO_GUARD, goOn, isWithheld, lookAfter, nextDue, notice } from "./guard";
import type { Guard, GuardTimes, Stranger } from "./guard";

/** Finds out who else has the addresses that this node looks after, and defends those in use. */
export type Wire = {
  /** What to look after from now on. */
  lookAfter(duties: ReadonlyMap<string, WireDuty>): void;
  /** True if the address may not be answered for yet. */
  isWithheld(address: string): boolean;
  /** Hardware address of the stranger that had the address and is gone; undefined if none was. */
  readonly settled: (address: string) => string | undefined;
  /** What others want to hear, or to ask, has changed. */
  wake(): void;
  /** The addresses that a stranger has, too. */
  conflicts(): ReadonlyMap<string, Conflict>;
  stop(): void;
};

/** Somebody else who listens by the same socket. */
export type Ear = {
  /** The addresses of which it wants to hear. */
  addresses(): Iterable<string>;
  hear(sighting: Sighting, interfaceIndex: number): void;
  /** Goes on with what is due; returns when it wants to go on next, if it knows. */
  round(now: number): number | undefined;
};

export type Conflict = Stranger & { readonly isInUse: boolean };

export type WireOptions = {
  readonly openSocket: (program: ReturnType<typeof listenFilter>) => ListenSocket;
  /** Sends one frame; may throw. */
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  /** The links on which an address is answered for. */
  readonly links: (duty: WireDuty) => readonly Link[];
  /** True for the hardware addresses of the cluster's nodes. */
  readonly isOfCluster: (mac: string) => boolean;
  readonly times: GuardTimes;
  readonly ears: readonly Ear[];
  readonly now: () => number;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Called when `isWithheld` or `conflicts` says something else than before. */
  readonly onChange: () => void;
  readonly onDefence: (address: string) => void;
  readonly onError: (error: unknown) => void;
};

/** Longest time that a frame waits to be read, ms: Node cannot wait for a packet socket, so it looks. */
const LISTEN_MS = 100;
/** Frames read at once: a flood must not keep the process here. */
const FRAMES_AT_ONCE = 256;

export function createWire(options: WireOptions): Wire {
  const { openSocket, now, after, times, ears, onChange, onError } = options;
  let guard: Guard = NO_GUARD;
  let duties: ReadonlyMap<string, WireDuty> = new Map();
  let socket: ListenSocket | undefined;
  let heardFor = "";
  let isChanged = true;
  let said = "[]";
  let cancel: (() => void) | undefined;

  function wanted(): ReadonlySet<string> {
    return new Set([...duties.keys(), ...ears.flatMap(ear => [...ear.addresses()])]);
  }

  /** The kernel lets through only frames that are about the addresses. */
  function listen(): void {
    if (socket && !isChanged) return;
    const addresses = [...wanted()].sort();
    const text = addresses.join();
    if (!socket || text !== heardFor) {
      const program = listenFilter(addresses.flatMap(rangeOf));
      if (socket) socket.filter(program);
      else socket = openSocket(program);
    }
    heardFor = text;
    isChanged = false;
  }

  function hear({ bytes, interfaceIndex }: HeardFrame): void {
    const sighting = readSighting(bytes);
    if (!sighting) return;
    for (const ear of ears) ear.hear(sighting, interfaceIndex);
    const duty = duties.get(sighting.address);
    if (!duty || duty.isShared || options.isOfCluster(sighting.mac)) return;
    // The same address on a LAN where it is not announced is nobody's business.
    const link = options.links(duty).find(({ index }) => index === interfaceIndex);
    if (!link) return;
    const next = notice(guard, { ...sighting, interface: link.name }, now());
    guard = next.guard;
    const ip = parseAddress(sighting.address);
    if (!next.defend || !ip) return;
    sendAll(link, () => defenceFrames(ip, link, sighting));
    options.onDefence(sighting.address);
  }

  function ask(address: string): void {
    const duty = duties.get(address);
    const ip = parseAddress(address);
    for (const link of duty && ip ? options.links(duty) : []) {
      sendAll(link, () => {
        const mac = parseMac(link.mac);
        // The probe, as the RFCs want it; and a plain question, since a host that has an address by proxy, as our
        // own nodes do, does not answer a probe.
        return ip && mac ? [probeFrame(ip, mac), queryOn(link, ip)] : [];
      });
    }
  }

  function sendAll(link: Link, frames: () => readonly (Uint8Array | undefined)[]): void {
    try {
      for (const frame of frames()) if (frame) options.send(link.index, frame);
    } catch (error) {
      onError(error);
    }
  }

  function hearAll(): void {
    try {
      listen();
      for (let i = 0; i < FRAMES_AT_ONCE; i++) {
        const frame = socket?.receive();
        if (!frame) break;
        hear(frame);
      }
    } catch (error) {
      // Without an ear an address is still to be answered for.
      onError(error);
    }
  }

  /** Reads all that was heard before it concludes anything from silence. */
  function round(): void {
    cancel?.();
    hearAll();
    const due = goOn(guard, now(), times);
    guard = due.guard;
    due.ask.forEach(ask);
    const dues = [nextDue(guard), ...ears.map(ear => ear.round(now()))];
    const next = Math.min(...dues.map(at => at ?? Infinity));
    const wait = Math.max(1, Math.min(LISTEN_MS, next - now()));
    cancel = after(wait, round);
    tell();
  }

  function tell(): void {
    const text = JSON.stringify([...guard].map(([address, w]) => [address, ...essence(w)]));
    if (text !== said) onChange();
    said = text;
  }

  function rest(): void {
    cancel?.();
    socket?.close();
    [cancel, socket, guard] = [undefined, undefined, NO_GUARD];
  }

  function wake(): void {
    isChanged = true;
    if (wanted().size === 0) rest();
    else round();
    tell();
  }

  return {
    lookAfter: next => {
      duties = next;
      const before = guard;
      guard = lookAfter(guard, next, { now: now(), times });
      // What is to be asked for is asked for at once.
      const isNews = [...guard].some(([address, watch]) => isNew(before, address, watch));
      const isSame = next.size === before.size && [...next.keys()].every(ip => before.has(ip));
      isChanged ||= !isSame;
      if (!isSame || !cancel || isNews) wake();
    },
    wake,
    isWithheld: address => isWithheld(guard, address),
    settled: address => {
      const watch = guard.get(address);
      return watch?.stage === "clear" ? watch.settled : undefined;
    },
    conflicts: () =>
      new Map(
        [...guard].flatMap(([address, watch]) =>
          watch.stage === "conflict"
            ? [[address, { ...watch.stranger, isInUse: watch.isInUse }] as const]
            : [],
        ),
      ),
    stop: rest,
  };
}

/** Who is about to take the address is told so, who says that he has it is contradicted before all. */
function defenceFrames(
  address: IpAddress,
  link: Link,
  { what, mac: asker }: Sighting,
): readonly Uint8Array[] {
  const [mac, to] = [parseMac(link.mac), parseMac(asker)];
  if (what !== "probe" || address.family === "ipv6" || !mac || !to) {
    return announcementFrames(address, link);
  }
  return [arpProbeReply(address, mac, to)];
}

type Watch = Guard extends ReadonlyMap<string, infer W> ? W : never;

/** What others are told of. */
function essence(watch: Watch): readonly unknown[] {
  return watch.stage === "conflict"
    ? [watch.stage, watch.isInUse, watch.stranger.mac, watch.stranger.interface]
    : [watch.stage];
}

function isNew(before: Guard, address: string, watch: Watch): boolean {
  return watch.stage !== "clear" && before.get(address)?.stage !== watch.stage;
}

function rangeOf(address: string): readonly AddressRange[] {
  const ip = parseAddress(address);
  return ip ? [{ family: ip.family, first: ip.value, last: ip.value }] : [];
}
