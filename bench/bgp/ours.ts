/** What only our own announcer is asked: it can say when it was called, and how late its event loop was. */
import type { AnnouncerMessage } from "./announcer";
import type { StartAnnouncer } from "./announcers";
import { startChild } from "./child";
import type { Child } from "./child";
import { prefixAt } from "./load";
import { usageOf } from "./process-usage";
import { loadOf, receive, startReceiver } from "./scenario";
import type { Size } from "./scenario";

const startOurs = (): Promise<Child<AnnouncerMessage>> => startChild("announcer");

/** bgp-ts, in a process that has nothing else to do. */
export const bgpTs: StartAnnouncer = async load => {
  const announcer = await startOurs();
  announcer.tell({ do: "load", load });
  await announcer.next("ready");
  return { pid: announcer.pid, stop: () => announcer.stop() };
};

export type Latencies = {
  /** From the call to the receiver's having read it, ms, in order of time. */
  readonly changes: readonly number[];
  /** How late the event loop was while everything was sent, ms. */
  readonly lagP99: number;
  readonly lagMax: number;
};

/** Announces and withdraws prefixes one at a time, on top of so many that are announced already. */
export async function changeLatencies(size: Size, changes: number): Promise<Latencies> {
  const load = loadOf(size);
  const [announcer, receiver] = [await startOurs(), await startReceiver()];
  try {
    announcer.tell({ do: "load", load });
    await announcer.next("ready");
    await receive(receiver, load);
    announcer.tell({ do: "lag" });
    const lag = await announcer.next("lag");
    const latencies: number[] = [];
    for (let i = 0; i < changes; i++) {
      const prefix = prefixAt(size.prefixes + (i >> 1));
      announcer.tell({ do: i % 2 === 0 ? "announce" : "withdraw", prefix });
      const [called, seen] = [await announcer.next("called"), await receiver.next("change")];
      if (seen.prefix !== prefix) throw new Error(`${seen.prefix} came instead of ${prefix}`);
      latencies.push(seen.at - called.at);
    }
    return { changes: latencies, lagP99: lag.p99, lagMax: lag.max };
  } finally {
    await announcer.stop();
    await receiver.stop();
  }
}

/** MiB by which the process grows from an idle speaker to one that has told all peers everything, at its peak. */
export async function memoryGrowth(size: Size): Promise<number> {
  const load = loadOf(size);
  const [announcer, receiver] = [await startOurs(), await startReceiver()];
  try {
    await announcer.next("idle");
    const idle = await usageOf(announcer.pid);
    announcer.tell({ do: "load", load });
    await receive(receiver, load);
    return (await usageOf(announcer.pid)).peakRssMiB - idle.rssMiB;
  } finally {
    await announcer.stop();
    await receiver.stop();
  }
}
