import type { AgentParts } from "./agent-parts";
import { createAdvertiser } from "./bgp/advertiser";
import type { Advertiser } from "./bgp/advertiser";
import { NO_HANDOVER, createHandover } from "./handover/handover";
import type { Handover } from "./handover/handover";
import { openFilter, removeForwarding } from "./handover/nft";
import { chooseInterfaces } from "./layer2/interfaces";
import type { Link } from "./layer2/kernel-state";
import { openNeighborTable } from "./layer2/neighbors";
import { createProber } from "./membership/prober";
import type { Prober } from "./membership/prober";
import { createAnnouncer } from "./packet/burst";
import type { Announcer } from "./packet/burst";
import { createKeptSocket } from "./packet/kept-socket";
import { openAnswerSocket } from "./packet/packet-socket";
import type { Reporter } from "./reporter";
import { startTimer } from "./timers";

/** Rounds of questions in a heartbeat interval: three of them fit between the first miss and the third. */
const ROUNDS_PER_INTERVAL = 2;
/** A peer that is late now and then is so several times in this time. */
const KEEP_MS = 30_000;

/** Tells the LAN where addresses are, counted and with failures logged. */
export function announcerFor({ socket, options, metrics, log }: AgentParts): Announcer {
  return createAnnouncer({
    send: (index, frame) => {
      socket.send(index, frame);
    },
    refreshMs: options.refreshIntervalMs,
    after: startTimer,
    onSent: ip => {
      metrics.gratuitousSent.inc({ ip });
    },
    onError: (error, address, link) => {
      log.warn({ err: error, address, interface: link.name }, "announcement was not sent");
    },
  });
}

/** Asks the wire for silent owners on all links that carry, counted and with failures logged. */
export function proberFor(
  { socket, options, metrics, log }: AgentParts,
  { links, onVerdict }: { readonly links: () => readonly Link[]; readonly onVerdict: () => void },
): Prober {
  const kept = createKeptSocket({ open: openAnswerSocket, keepMs: KEEP_MS, after: startTimer });
  const prober = createProber({
    openSocket: kept.open,
    send: (index, frame) => {
      socket.send(index, frame);
      metrics.probesSent.inc();
    },
    links: () => chooseInterfaces(links(), "all", options.excludeInterfaces).filter(l => l.carrier),
    roundMs: options.heartbeatIntervalMs / ROUNDS_PER_INTERVAL,
    now: () => performance.now(),
    after: startTimer,
    onVerdict,
    onError: error => {
      log.warn({ err: error }, "a silent owner cannot be asked for: its addresses stay with it");
    },
  });
  return {
    ...prober,
    stop: () => {
      prober.stop();
      kept.stop();
    },
  };
}

/** Speaks BGP on real sockets, and has users told of it. */
export function advertiserFor({ options, log }: AgentParts, reporter: Reporter): Advertiser {
  return createAdvertiser({
    ...{ log, after: startTimer, now: () => performance.now() },
    ...{ ignoreExcludeLabel: options.ignoreExcludeLabel, drainMs: options.bgpDrainMs },
    onNews: news => {
      reporter.sessionNews(news);
    },
    onView: (view, changes) => {
      reporter.advertised(view, changes);
    },
  });
}

/** Hands connections over by the kernel's packet filter, counted; where it cannot, users are told once. */
export function handoverFor(
  { options, metrics, log, events }: AgentParts,
  onReady: () => void,
): Handover {
  // What an earlier run left would go on sending to a former owner.
  if (!options.handover)
    return { ...NO_HANDOVER, start: async () => void (await removeForwarding()) };
  const table = openNeighborTable();
  const name = options.nodeName;
  let told = "";
  return createHandover({
    ...{ me: name, filter: openFilter(), excludes: options.excludeInterfaces, onReady },
    subnets: () => table.subnets(),
    now: () => performance.now(),
    after: startTimer,
    onState: ({ addresses, problems }) => {
      metrics.handedOver.set(addresses);
      metrics.handoverProblems.set(problems.length);
      const text = problems.join("; ");
      if (text === told) return;
      told = text;
      if (text === "") return;
      const message = `connections that run break when an address moves to or from node ${name}: ${text}`;
      log.warn({}, message);
      const node = { apiVersion: "v1", kind: "Node", name };
      void events.emit(node, "Warning", "HandoverUnavailable", message);
    },
  });
}
