import type { StartAnnouncer } from "./announcers";
import { startChild } from "./child";
import type { Child } from "./child";
import { peerAddresses } from "./load";
import type { Load } from "./load";
import { usageOf } from "./process-usage";
import type { ReceiverMessage, Seen } from "./receiver";

/** How many sessions, and how many prefixes each of them gets. */
export type Size = { readonly peers: number; readonly prefixes: number };

/** What it took to tell everybody everything. */
export type Transfer = {
  /** From the first KEEPALIVE to the last prefix, of the peer that waited longest, ms. */
  readonly ms: number;
  /** Of the announcer from the moment that it had its routes. */
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
  /** Of one session. */
  readonly updates: number;
  readonly octets: number;
};

const PORT = 1790;

/** One announcer, from cold to the last prefix at the last peer. */
export async function transfer(size: Size, start: StartAnnouncer): Promise<Transfer> {
  const load = loadOf(size);
  const announcer = await start(load);
  const receiver = await startReceiver();
  try {
    const before = await usageOf(announcer.pid);
    const seen = await receive(receiver, load);
    const after = await usageOf(announcer.pid);
    return {
      ms: Math.max(...seen.map(({ ms }) => ms)),
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      peakRssMiB: after.peakRssMiB,
      updates: Math.max(...seen.map(({ updates }) => updates)),
      octets: Math.max(...seen.map(({ octets }) => octets)),
    };
  } finally {
    await announcer.stop();
    await receiver.stop();
  }
}

export const loadOf = ({ peers, prefixes }: Size): Load => ({
  prefixes,
  peers: peerAddresses(peers),
  port: PORT,
});

export const startReceiver = (): Promise<Child<ReceiverMessage>> => startChild("receiver");

/** Begins to listen, and waits until every peer has everything. */
export async function receive(
  receiver: Child<ReceiverMessage>,
  load: Load,
): Promise<readonly Seen[]> {
  receiver.tell(load);
  return Promise.all(load.peers.map(async () => (await receiver.next("seen")).seen));
}
