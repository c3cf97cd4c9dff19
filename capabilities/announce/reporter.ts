import type { kind } from "kubernetes-fluent-client";
import { keyOf } from "../kube/resource";
import type { AgentParts } from "./agent-parts";
import type { SessionNews } from "./bgp/sessions";
import type { BgpView, changesBetween } from "./bgp/view";
import { createBgpReporter } from "./bgp-reporter";
import type { BgpFacts, BgpReporter } from "./bgp-reporter";
import { startTimer } from "./timers";
import { speakerState } from "./status/speaker-state";
import { answerersOf, byService, signaturesOf } from "./status/answering";
import type { AddressSignature } from "./status/answering";
import { IN_COMPANY, isCutOff, nextSolitude } from "./status/divided";
import { strictArpText } from "./status/strict-arp-text";
import { NO_OUTCOME } from "./layer2/responder";
import type { Outcome, Owned } from "./layer2/responder";
import { causeLabel } from "./moves";
import type { Move } from "./moves";
import type { AddressPlan, Plan, Verdict } from "./plan";
import { announcedOf, reachableBefore } from "./status/announced-condition";
import type { Announced } from "./status/announced-condition";
import { startAnnouncedWriter } from "./status/announced-writer";
import { createConflictReports } from "./status/conflict-reports";
import type { ConflictTurn } from "./status/conflict-reports";
import { reachableOf } from "./status/reachable-condition";
import { startStatusWriter } from "./status/status-writer";
import type { ServiceStanding } from "./status/status-writer";
import { isOutdone } from "./status/virtual-ip-status";
import type { AddressStatus, TimedMove } from "./status/virtual-ip-status";
import { createSightReports } from "./status/sight-reports";
import type { VirtualIps } from "./status/virtual-ips";
import type { Observer } from "./wire/observer";
import type { Wire } from "./wire/wire";
import type { MoveTimes } from "./wire/wire-watch";

/** Tells users what this node does: status objects, events, metrics, log. Never waits, never throws. */
export type Reporter = {
  /** Where Services are found. */
  useServices(source: ServiceSource): void;
  configRead(errors: readonly string[]): void;
  /** A Service says something else of itself than before, and needs no other plan. */
  serviceChanged(service: kind.Service): void;
  /** The cluster as it is, before what follows from it. */
  learned(facts: BgpFacts): void;
  planned(news: PlanNews): void;
  advertised(view: BgpView, changes: ReturnType<typeof changesBetween>): void;
  sessionNews(news: SessionNews): void;
  reconciled(outcome: Outcome): void;
  /** What is heard of strangers may be something else than before. */
  wireChanged(wire: Pick<Wire, "conflicts" | "settled">): void;
  /** Another one is seen to answer for an address of another node. */
  readonly seen: (address: string, observer: Observer) => void;
  readonly moveMeasured: (address: string, times: MoveTimes) => void;
  stop(): Promise<void>;
};

export type PlanNews = {
  readonly plan: Plan;
  readonly takenOver: readonly Move[];
  /** What this node answered for before the plan. */
  readonly held: Owned;
  /** Nodes that may own addresses. */
  readonly alive: ReadonlySet<string>;
  /** Nodes that are not heard and may be well all the same. */
  readonly unheard: ReadonlySet<string>;
};

export type ServiceSource = {
  service(key: string): kind.Service | undefined;
  allServices(): readonly kind.Service[];
};

/** A takeover of more addresses than this at once comes before all that tells of it. */
const MANY = 8;
/** So long after the last of them it is told of, ms. Nobody waits for that, and the network waits for the takeover. */
const HOLD_BACK_MS = 1_000;

const NO_SERVICES: ServiceSource = { service: () => undefined, allServices: () => [] };

type Parts = Omit<AgentParts, "kernel" | "socket">;

export function createReporter(parts: Parts, vips: VirtualIps): Reporter {
  const { options, events, metrics, log } = parts;
  const me = options.nodeName;
  const moves = new Map<string, TimedMove>();
  let source = NO_SERVICES;
  let alive: ReadonlySet<string> = new Set();
  // Asked of every Service, so not to be made anew each time.
  let answering: ReadonlySet<string> = new Set();
  let unheard: ReadonlySet<string> = new Set();
  let solitude = IN_COMPANY;
  /** It may be this node alone that is cut off from the others: what it does meanwhile is told when that is known. */
  let isAlone = false;
  const untold = new Set<string>();
  let cancelHold: (() => void) | undefined;
  let withoutInterface: ReadonlySet<string> = new Set();
  let verdicts: ReadonlyMap<string, readonly Verdict[]> = new Map();
  let plan: Plan | undefined;
  let outcome: Outcome = NO_OUTCOME;
  let problems = "";
  let unguarded = "[]";
  let byPackets = "";
  let signatures = new Map<string, AddressSignature>();
  let silences: ReadonlyMap<string, string> = new Map();
  const failed = new Set<string>();
  let configErrors: readonly string[] | undefined;
  const state = speakerState(parts, () => configErrors && [...configErrors, ...bgp.problems()]);
  const bgp = createBgpReporter(parts, emit);
  let toldByBgp: BgpView["told"] = new Set();
  const sights = createSightReports({ me, now: Date.now });
  let settledOn: Wire["settled"] = () => undefined;
  const conflicts = createConflictReports({
    me,
    now: () => new Date().toISOString(),
    onTurn: noteConflict,
  });

  const writer = startStatusWriter({
    client: parts.client,
    me,
    namespace: options.namespace,
    ...(parts.pod ? { pod: parts.pod } : {}),
    source: {
      address: statusOf,
      service: key => (plan && !isAlone ? answerers(plan, key) : undefined),
      standing: address => bgp.standing(address),
      audience: service => bgp.audience(service),
    },
    onAnswerers: keys => {
      announcedWriter.check(keys.flatMap(key => source.service(key) ?? []));
    },
    vips,
    log,
  });

  const announcedWriter = startAnnouncedWriter({
    client: parts.client,
    log,
    service: key => source.service(key),
    wish: wishFor,
    onSilence: (key, message) => {
      emit(key, "Warning", "NotAnnounced", message);
    },
  });

  function wishFor(service: kind.Service): Announced | "nothing" | undefined {
    if (!plan || isAlone) return undefined;
    const key = keyOf(service);
    const own = verdicts.get(key) ?? [];
    if (own.some(({ address, owner }) => owner === me && isToldByOthers(address))) return undefined;
    const announced = announcedOf({
      ...{ me, alive, verdicts: own, answering, withoutInterface },
      byBgp: address => bgp.byBgp(key, address, writer.advertisersOf(address)),
      problems: outcome.problems,
      conflict: address => conflicts.get(address),
    });
    if (announced === undefined || announced === "nothing") return announced;
    const delivered = own
      .filter(verdict => !goesByBgp(verdict, bgp))
      .map(({ address, owner }) => ({ address, owner, status: writer.statusOf(address) }));
    const before = reachableBefore(service);
    const reachable = reachableOf(delivered, { before, now: Date.now() });
    return reachable ? { ...announced, reachable } : announced;
  }

  function answerers(current: Plan, key: string): ServiceStanding {
    const found = answerersOf(current, outcome, key);
    const taken = found.addresses.map(address => moves.get(address)?.at ?? "");
    return { ...found, unheard, since: taken.sort().at(-1) ?? "" };
  }

  /** By a node that took the address later, on the other side of a divided LAN. */
  function isToldByOthers(address: string): boolean {
    const move = moves.get(address);
    const status = writer.statusOf(address);
    return move !== undefined && status !== undefined && isOutdone({ status }, { move, unheard });
  }

  function statusOf(address: string): AddressStatus | undefined {
    if (!plan || isAlone) return undefined;
    const owner = plan.addresses.get(address)?.owner;
    const bindings = outcome.answering.filter(binding => binding.address === address);
    const move = moves.get(address);
    const conflict = conflicts.get(address) ?? sights.stranger(address);
    const sight = sights.get(address);
    const settled = settledOn(address);
    return {
      ...{ owner, bindings, unheard },
      ...(move ? { move } : {}),
      ...(sight ? { sight } : {}),
      ...(conflict ? { conflict } : {}),
      ...(settled === undefined ? {} : { settled }),
    };
  }

  function noteConflict({ address, type, reason, message }: ConflictTurn): void {
    log[type === "Warning" ? "warn" : "info"]({ address }, message);
    if (type === "Warning") metrics.conflictsSeen.inc();
    for (const service of plan?.addresses.get(address)?.services ?? []) {
      emit(service, type, reason, message);
    }
  }

  function emit(service: string, type: "Normal" | "Warning", reason: string, text: string): void {
    const { metadata } = source.service(service) ?? {};
    if (metadata?.name === undefined) return;
    const { name, namespace, uid } = metadata;
    const subject = { apiVersion: "v1", kind: "Service", name };
    const where = { ...(namespace === undefined ? {} : { namespace }), ...(uid ? { uid } : {}) };
    void events.emit({ ...subject, ...where }, type, reason, text);
  }

  function noteMove(move: Move, held: Owned): void {
    moves.set(move.address, { ...move, at: new Date().toISOString() });
    metrics.moves.inc({ cause: causeLabel(move) });
    log.info(move, "this node answers now");
    if (!held.has(move.address)) untold.add(move.address);
  }

  function tellMoves(current: Plan): void {
    const text = `announcing from node "${me}" with protocol "layer2"`;
    for (const address of untold) {
      const planned = current.addresses.get(address);
      if (planned?.owner !== me) continue;
      for (const service of planned.services) emit(service, "Normal", "nodeAssigned", text);
    }
    untold.clear();
  }

  /** What was put off meanwhile is told of then; how it is, and not how it was. */
  function holdBack(): void {
    cancelHold?.();
    cancelHold = startTimer(HOLD_BACK_MS, () => {
      cancelHold = undefined;
      tellAll();
    });
  }

  function tellAll(): void {
    if (isAlone || cancelHold || !plan) return;
    tellMoves(plan);
    noteChanges();
    announcedWriter.check(source.allServices());
  }

  /** Looks who is on this side of a LAN that may be divided; what is said depends on it. */
  function noteCompany(news: PlanNews): void {
    const now = performance.now();
    const wasAlone = isAlone;
    solitude = nextSolitude(solitude, { me, alive: news.alive, unheard: news.unheard, now });
    isAlone = isCutOff(solitude, now);
    if (isAlone && !wasAlone) log.warn({ unheard: [...news.unheard] }, "hears none of the others");
    // Everything is looked at anew.
    if (wasAlone && !isAlone) signatures = new Map();
    if ([...unheard].join() === [...news.unheard].join()) return;
    unheard = news.unheard;
    for (const { address, owner, services } of news.plan.addresses.values()) {
      if (owner !== me && !sights.get(address)) continue;
      writer.addressChanged(address);
      services.forEach(writer.layer2Changed);
    }
  }

  /** Every node sees the same silence; each logs it once, and users read it in `ancho status`. */
  function noteSilences(found: readonly Verdict[]): void {
    const next = new Map<string, string>();
    for (const verdict of found) {
      if (verdict.owner !== undefined) continue;
      const { service, address } = verdict;
      const key = `${service} ${address}`;
      const reason = `${verdict.reason}: ${verdict.message}`;
      next.set(key, reason);
      if (silences.get(key) !== reason) log.info({ service, address, reason }, "nobody answers");
    }
    silences = next;
  }

  function noteInterfaces(): void {
    for (const address of outcome.withoutInterface) {
      const planned = plan?.addresses.get(address);
      if (!planned || planned.owner !== me || failed.has(address)) continue;
      failed.add(address);
      const text = `announceFailed: no interface of node "${me}" fits ${describe(planned)} for ${address}: check the L2Advertisement's interfaces and that they are up`;
      log.warn({ address }, text);
      for (const service of planned.services) emit(service, "Warning", "announceFailed", text);
    }
    for (const address of failed) {
      if (!outcome.withoutInterface.includes(address)) failed.delete(address);
    }
  }

  function notePackets(): void {
    const bindings = outcome.answering.filter(({ mode }) => mode === "packet");
    const next = [
      ...new Set(bindings.map(({ address, link }) => `${address} ${link.name}`)),
    ].sort();
    if (next.join() !== byPackets) log.info({ addresses: next }, "answers by packets");
    byPackets = next.join();
  }

  /** On every node, since each kernel that answers is one too many. */
  function noteUnguarded(): void {
    const { unguarded: found } = outcome;
    const isNew = found.length > 0 && unguarded !== JSON.stringify(found);
    unguarded = JSON.stringify(found);
    metrics.unguarded.set(new Set(found.map(({ address }) => address)).size);
    if (!isNew) return;
    const text = strictArpText(me, found);
    log.warn({ node: me }, text);
    void events.emit({ apiVersion: "v1", kind: "Node", name: me }, "Warning", "StrictARPOff", text);
  }

  function noteChanges(): void {
    const next = signaturesOf(plan, outcome);
    for (const address of new Set([...signatures.keys(), ...next.keys()])) {
      const before = signatures.get(address);
      const after = next.get(address);
      if (before?.text === after?.text) continue;
      writer.addressChanged(address);
      new Set([...(before?.services ?? []), ...(after?.services ?? [])]).forEach(service => {
        writer.layer2Changed(service);
      });
    }
    signatures = next;
  }

  function noteMetrics(): void {
    metrics.ownedAddresses.set(new Set(outcome.answering.map(({ address }) => address)).size);
    metrics.problems.set(outcome.problems.length);
    metrics.announced.reset();
    for (const { address: ip, owner, services } of plan?.addresses.values() ?? []) {
      if (owner !== me) continue;
      for (const service of services) {
        metrics.announced.set({ service, protocol: "layer2", node: me, ip }, 1);
      }
    }
    for (const pair of toldByBgp) {
      const [service = "", ip = ""] = pair.split(" ");
      metrics.announced.set({ service, protocol: "bgp", node: me, ip }, 1);
    }
  }

  function noteProblems(): void {
    const text = outcome.problems.join("\n");
    if (text !== problems)
      outcome.problems.forEach(problem => {
        log.error({}, problem);
      });
    problems = text;
  }

  return {
    useServices: from => {
      source = from;
    },
    serviceChanged: service => {
      announcedWriter.check([service]);
    },
    configRead: errors => {
      metrics.configLoaded.set(1);
      metrics.configStale.set(errors.length > 0 ? 1 : 0);
      configErrors = errors;
      state.changed();
      errors.forEach(error => {
        log.error({}, error);
      });
    },
    learned: facts => {
      const before = String(bgp.problems());
      bgp.learned(facts);
      if (String(bgp.problems()) === before) return;
      state.changed();
      bgp.problems().forEach(problem => {
        log.error({}, problem);
      });
    },
    sessionNews: news => {
      bgp.news(news);
    },
    advertised: (view, changes) => {
      bgp.advertised(view);
      toldByBgp = view.told;
      changes.services.forEach(service => {
        writer.bgpChanged(service);
      });
      changes.addresses.forEach(address => {
        writer.addressChanged(address);
      });
      noteMetrics();
    },
    planned: news => {
      ({ plan, alive } = news);
      const told = plan.verdicts.filter(verdict => !goesByBgp(verdict, bgp));
      verdicts = byService(plan.verdicts);
      noteCompany(news);
      for (const move of news.takenOver) noteMove(move, news.held);
      if (news.takenOver.length > MANY) holdBack();
      noteSilences(told);
      tellAll();
      metrics.membersAlive.set(alive.size);
    },
    reconciled: next => {
      outcome = next;
      answering = new Set(next.answering.map(({ address }) => address));
      withoutInterface = new Set(next.withoutInterface);
      noteProblems();
      noteInterfaces();
      notePackets();
      noteUnguarded();
      tellAll();
      noteMetrics();
    },
    wireChanged: wire => {
      settledOn = wire.settled;
      const changed = conflicts.update(wire);
      if (changed.length === 0) return;
      changed.forEach(writer.addressChanged);
      metrics.conflicts.set(wire.conflicts().size);
      announcedWriter.check(source.allServices());
    },
    seen: (address, observer) => {
      if (sights.update(address, observer)) writer.addressChanged(address);
    },
    moveMeasured: (address, times) => {
      const move = moves.get(address);
      if (!move) return;
      moves.set(address, { ...move, ...times });
      writer.addressChanged(address);
    },
    stop: async () => {
      cancelHold?.();
      await Promise.all([writer.stop(), announcedWriter.stop(), state.stop()]);
    },
  };
}

/** That layer 2 does not announce it is then as it should be. */
function goesByBgp(verdict: Verdict, bgp: BgpReporter): boolean {
  return (
    verdict.owner === undefined &&
    verdict.reason === "noMatchingAdvertisement" &&
    bgp.isFor(verdict.service, verdict.address)
  );
}

function describe({ interfaces }: AddressPlan): string {
  return interfaces === "all" ? "the rules" : `the interfaces ${interfaces.join(", ")}`;
}
