import { createInterface } from "node:readline";
import { DEFAULT_EXCLUDES } from "../layer2/interfaces";
import type { WantedInterfaces } from "../layer2/interfaces";
import { openKernel } from "../layer2/netlink";
import { createPacketResponder } from "../layer2/packet-mode/packet-responder";
import { cleanUp, createResponder } from "../layer2/responder";
import { createAnnouncer } from "../packet/burst";
import { openPacketSocket } from "../packet/packet-socket";

/**
 * The announcer's hands without its head, run by the interop tests in a network namespace: reads one JSON
 * command per line, writes one JSON line per answer or event.
 */
export type Command =
  | { readonly do: "adopt" }
  | { readonly do: "own"; readonly owned: Readonly<Record<string, WantedInterfaces>> }
  | { readonly do: "know"; readonly addresses: readonly string[] }
  | { readonly do: "cleanup" };

const after = (ms: number, callback: () => void): (() => void) => {
  const timer = setTimeout(callback, ms);
  return () => {
    clearTimeout(timer);
  };
};
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const sysctlRoot = process.env["SYSCTL_ROOT"] ?? "/proc/sys/net";
const kernel = openKernel();
const socket = openPacketSocket();
const announcer = createAnnouncer({
  refreshMs: 0,
  send: (index, frame) => {
    socket.send(index, frame);
  },
  after,
  onSent: () => undefined,
  onError: error => {
    say({ problem: String(error) });
  },
});
const responder = createResponder({
  kernel,
  packets: createPacketResponder(counts => {
    say({ counts });
  }),
  sysctlRoot,
  excludes: DEFAULT_EXCLUDES.map(text => new RegExp(text)),
  after,
  onOutcome: ({ answering, fresh, unguarded, problems }) => {
    for (const { address, link } of fresh) announcer.start(address, link);
    const modes = answering.map(({ address, link, mode }) => `${address} ${link.name} ${mode}`);
    say({ outcome: { fresh: fresh.map(({ address }) => address), modes, unguarded, problems } });
  },
});

async function obey(command: Command): Promise<object> {
  switch (command.do) {
    case "adopt":
      return { adopted: Object.fromEntries(await responder.adopt()) };
    case "own":
      await responder.own(new Map(Object.entries(command.owned)));
      return { done: "own" };
    case "know":
      responder.know(new Set(command.addresses));
      return { done: "know" };
    case "cleanup":
      return { cleaned: await cleanUp(kernel, sysctlRoot) };
  }
}

createInterface({ input: process.stdin }).on("line", line => {
  void obey(JSON.parse(line) as Command).then(say, (error: unknown) => {
    say({ problem: String(error) });
  });
});
say({ ready: true });
