import { createInterface } from "node:readline";
import { chooseInterfaces } from "../layer2/interfaces";
import { openNeighborTable } from "../layer2/neighbors";
import { openKernel } from "../layer2/netlink";
import { openListenSocket, openPacketSocket } from "../packet/packet-socket";
import { startTimer } from "../timers";
import type { WireDuty } from "../wire/duties";
import { createConverger } from "../wire/converger";
import type { Surroundings } from "../wire/converger";
import { createWire } from "../wire/wire";

/**
 * The watch over the wire without its announcer, run by the interop tests in a network namespace: reads one JSON
 * command per line, writes one JSON line for every change.
 */
export type Command =
  | {
      readonly do: "look-after";
      readonly duties: Readonly<Record<string, WireDuty>>;
      /** Hardware addresses of the cluster. */
      readonly nodes: readonly string[];
    }
  /** Asks gateway and neighbours from the address; nothing is announced. */
  | { readonly do: "take-over"; readonly address: string }
  | { readonly do: "tables" };

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const kernel = openKernel();
const socket = openPacketSocket();
const table = openNeighborTable();
const { links } = await kernel.dump();
let addresses: readonly string[] = [];
let nodes: readonly string[] = [];
let surroundings: Surroundings = { neighbors: [], gateways: [], hosts: new Map() };
const converger = createConverger({
  send: (index, frame) => {
    socket.send(index, frame);
  },
  surroundings: () => surroundings,
  now: () => performance.now(),
  onDone: converged => {
    say({ converged });
  },
  onError: error => {
    say({ problem: String(error) });
  },
});
const wire = createWire({
  openSocket: openListenSocket,
  send: (index, frame) => {
    socket.send(index, frame);
  },
  links: ({ interfaces }) => chooseInterfaces(links, interfaces, []),
  isOfCluster: mac => nodes.includes(mac),
  times: { probes: 3, probeIntervalMs: 150, recheckMs: 300 },
  ears: [converger],
  now: () => performance.now(),
  after: startTimer,
  onChange: () => {
    say({
      conflicts: Object.fromEntries(wire.conflicts()),
      withheld: addresses.filter(address => wire.isWithheld(address)),
    });
  },
  onDefence: address => {
    say({ defended: address });
  },
  onError: error => {
    say({ problem: String(error) });
  },
});

async function obey(command: Command): Promise<void> {
  switch (command.do) {
    case "look-after":
      addresses = Object.keys(command.duties);
      nodes = command.nodes;
      wire.lookAfter(new Map(Object.entries(command.duties)));
      return;
    case "take-over": {
      const [gateways, neighbors] = [await table.gateways(), await table.neighbors()];
      surroundings = { gateways, neighbors, hosts: new Map() };
      const link = links.find(({ name }) => name === "eth0");
      if (link) converger.begin(command.address, link, performance.now());
      wire.wake();
      return;
    }
    case "tables":
      say({ neighbors: await table.neighbors(), gateways: await table.gateways() });
      return;
  }
}

createInterface({ input: process.stdin })
  .on("line", line => void obey(JSON.parse(line) as Command))
  .on("close", () => process.exit(0));
say({ ready: true });
