/** Sessions over sockets and timers of this thread: carries out what the steps decide. */
import { randomInt } from "node:crypto";
import type { Bfd } from "./bfd";
import { pathKey } from "./options";
import type { BfdOptions } from "./options";
import { createPorts } from "./ports";
import type { Entrance } from "./ports";
import { createRunner } from "./runner";
import type { Runner } from "./runner";
import { openReceiver } from "./udp";
import { MULTIHOP_PORT, decodePacket } from "./wire/packet";

const MAX_DISCRIMINATOR = 0xffff_ffff;

type Shared = { readonly runner: Runner; watchers: number };

/**
 * BFD whose timers are of the thread that calls this: what keeps the thread busy takes sessions down.
 * `startBfd` has a thread of its own for it.
 */
export function createBfd(): Bfd {
  const sessions = new Map<string, Shared>();
  const byDiscriminator = new Map<number, Runner>();
  const closing = new Set<Promise<void>>();
  let received = 0;
  const ports = createPorts((entrance, isShared) =>
    openReceiver({ ...entrance, isShared }, (payload, from) => {
      received++;
      receive(entrance, payload, from);
    }),
  );

  function receive(entrance: Entrance, payload: Uint8Array, from: string): void {
    const decoded = decodePacket(payload);
    const byAddress = sessions.get(sourceKey(entrance, from))?.runner;
    const discriminator = decoded.ok ? decoded.value.yourDiscriminator : 0;
    // What has our discriminator and comes from elsewhere is no packet of the neighbor's.
    const isOurs = discriminator === 0 || byDiscriminator.get(discriminator) === byAddress;
    if (decoded.ok && isOurs) byAddress?.receive(decoded.value, payload);
    else byAddress?.discard();
  }

  function open(options: BfdOptions): Shared {
    const discriminator = freeDiscriminator(byDiscriminator);
    const runner = createRunner(options, discriminator, { ports, received: () => received });
    byDiscriminator.set(discriminator, runner);
    return { runner, watchers: 0 };
  }

  function close(key: string, { runner }: Shared): Promise<void> {
    sessions.delete(key);
    const ended = runner.end().finally(() => {
      byDiscriminator.delete(runner.status().localDiscriminator);
      closing.delete(ended);
    });
    closing.add(ended);
    return ended;
  }

  return {
    watch: (options, onChange) => {
      const key = pathKey(options);
      const known = sessions.get(key);
      const shared = known ?? open(options);
      sessions.set(key, shared);
      shared.watchers++;
      if (known) known.runner.configure(options);
      const forget = shared.runner.onChange(onChange);
      let isClosed = false;
      return {
        status: () => shared.runner.status(),
        configure: timers => {
          shared.runner.configure(timers);
        },
        close: async () => {
          if (isClosed) return;
          isClosed = true;
          forget();
          if (--shared.watchers === 0) await close(key, shared);
        },
      };
    },
    stop: async () => {
      sessions.forEach((shared, key) => void close(key, shared));
      await Promise.all(closing);
    },
  };
}

/** The path by which a packet came. */
function sourceKey({ device, port }: Entrance, from: string): string {
  const [address = "", zone] = from.split("%");
  const via = device ?? zone;
  return pathKey({
    address,
    isMultihop: port === MULTIHOP_PORT,
    ...(via !== undefined && { device: via }),
  });
}

function freeDiscriminator(taken: ReadonlyMap<number, Runner>): number {
  for (;;) {
    const discriminator = randomInt(1, MAX_DISCRIMINATOR + 1);
    if (!taken.has(discriminator)) return discriminator;
  }
}
