import type { Family } from "../../config/address";
import { pushTo } from "../grouped";
import { answerModeOf, unguardedOf } from "./answer-mode";
import type { AnswerMode, Unguarded } from "./answer-mode";
import { diffKernel } from "./diff";
import { chooseInterfaces } from "./interfaces";
import type { WantedInterfaces } from "./interfaces";
import { rememberKernel } from "./kernel-memory";
import type { KernelMemory } from "./kernel-memory";
import { DEVICE, familyOf, proxyKey } from "./kernel-state";
import type { KernelOp, KernelState, Link, ProxyEntry } from "./kernel-state";
import type { Kernel } from "./netlink";
import type { PacketBinding, PacketResponder } from "./packet-mode/packet-responder";
import { ensureSysctls, neededSysctls, readArpSettings, restoreSysctls } from "./sysctl";
import type { RefusedSysctl } from "./sysctl";
import { formatNote, parseNote } from "./sysctl-note";

/** What this node is to answer for, and on which interfaces. */
export type Owned = ReadonlyMap<string, WantedInterfaces>;

/** An address on a link. */
type Place = { readonly address: string; readonly link: Link };

/** An address on a link, and who answers for it there. */
export type Binding = Place & { readonly mode: AnswerMode };

/** What a run found and did. */
export type Outcome = {
  /** All that is answered for now. */
  readonly answering: readonly Binding[];
  /**
   * Bindings that neighbours are to be told of: this run made them, or their link has another MAC address or
   * its carrier back.
   */
  readonly fresh: readonly Binding[];
  /** The node's links as they were found. */
  readonly links: readonly Link[];
  /** Owned addresses for which no interface qualifies. */
  readonly withoutInterface: readonly string[];
  /** Where the kernel speaks for Services' addresses whoever owns them: strictARP is off. */
  readonly unguarded: readonly Unguarded[];
  /** What went wrong, as sentences. Runs are repeated until there is nothing. */
  readonly problems: readonly string[];
};

/** Nothing is known yet. */
export const NO_OUTCOME: Outcome = {
  answering: [],
  fresh: [],
  links: [],
  withoutInterface: [],
  unguarded: [],
  problems: [],
};

export type ResponderOptions = {
  readonly kernel: Kernel;
  readonly packets: PacketResponder;
  /** Where /proc/sys/net of the node is. */
  readonly sysctlRoot: string;
  /** Interfaces that are not to announce unless named. */
  readonly excludes: readonly RegExp[];
  readonly onOutcome: (outcome: Outcome) => void;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
};

/**
 * Keeps what is owned answered for, whatever happens to links and entries: by the kernel, and where it would not,
 * by packets. The kernel's entries are kept in any case, for who looks and for who comes after a crash.
 */
export type Responder = {
  /** Reads what an earlier run of this program left, and keeps it until `own` says otherwise. */
  adopt(): Promise<Owned>;
  /** From now on answer for these and no others. Resolves when a run with them has ended. */
  own(owned: Owned): Promise<void>;
  /** The addresses of Services, whoever owns them: what the kernel does about them is looked after, too. */
  know(addresses: ReadonlySet<string>): void;
  stop(): Promise<void>;
};

/**
 * What the kernel itself drops, with a link, it reports. It does not report that somebody deleted a proxy entry,
 * so we look, ms.
 */
const RECHECK_MS = 10_000;
/** So soon after problems, and after a run that went by what was known of the kernel, ms. */
const RETRY_MS = 500;

export function createResponder(options: ResponderOptions): Responder {
  const { kernel, after, onOutcome } = options;
  const memory = rememberKernel(kernel);
  let owned: Owned | undefined;
  let running = Promise.resolve();
  let isRunning = false;
  let isDirty = false;
  let outcome: Outcome = NO_OUTCOME;
  let known: ReadonlySet<string> = new Set();
  let isStopped = false;
  let cancelTimer = (): void => undefined;

  async function loop(): Promise<void> {
    isRunning = true;
    while (isDirty && !isStopped && owned) {
      isDirty = false;
      const isByHeart = memory.isKnown();
      outcome = await runOnce(options, { memory, owned, known, last: outcome });
      cancelTimer();
      const isOver = outcome.problems.length === 0 && !isByHeart;
      cancelTimer = after(isOver ? RECHECK_MS : RETRY_MS, trigger);
      onOutcome(outcome);
    }
    isRunning = false;
  }

  function trigger(): void {
    memory.forget();
    void run();
  }

  /** One run at a time; a trigger during a run means one more after it. */
  function run(): Promise<void> {
    isDirty = true;
    if (!isRunning) running = loop();
    return running;
  }

  kernel.onChange(trigger);

  return {
    adopt: async () => {
      const found = await readOwned(kernel);
      owned ??= found;
      return found;
    },
    own: async next => {
      owned = next;
      await run();
    },
    know: addresses => {
      const isNew = [...addresses].some(address => !known.has(address));
      known = addresses;
      if (isNew) trigger();
    },
    stop: async () => {
      isStopped = true;
      cancelTimer();
      await running;
      await options.packets.stop();
    },
  };
}

/** Removes every entry, route and device of ours from the kernel, and puts back what served proxying alone. */
export async function cleanUp(kernel: Kernel, sysctlRoot: string): Promise<readonly string[]> {
  const actual = await kernel.dump();
  restoreSysctls(sysctlRoot, notedIn(actual));
  const refused = await applyAll(kernel, diffKernel({ proxies: [] }, actual), actual);
  return refused.map(({ problem }) => problem);
}

async function readOwned(kernel: Kernel): Promise<Owned> {
  const { links, proxies } = await kernel.dump();
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const owned = new Map<string, string[]>();
  for (const { address, interfaceIndex } of proxies) {
    const name = names.get(interfaceIndex);
    if (name !== undefined) pushTo(owned, address, name);
  }
  return owned;
}

type Run = {
  readonly memory: KernelMemory;
  readonly owned: Owned;
  readonly known: ReadonlySet<string>;
  readonly last: Outcome;
};

/** What cannot be read is taken to be as it was found last. */
async function runOnce(options: ResponderOptions, run: Run): Promise<Outcome> {
  try {
    return await reconcile(options, run);
  } catch (error) {
    const problem = `the kernel's network state could not be read: ${String(error)}`;
    return { ...run.last, fresh: [], problems: [problem] };
  }
}

async function reconcile(options: ResponderOptions, run: Run): Promise<Outcome> {
  const { sysctlRoot, excludes } = options;
  const actual = await run.memory.state();
  const chosen = [...run.owned].map(([address, wanted]) => ({
    address,
    links: chooseInterfaces(actual.links, wanted, excludes),
  }));
  const places = chosen.flatMap(({ address, links }) => links.map(link => ({ address, link })));
  const proxies = places.map(({ address, link }) => ({ address, interfaceIndex: link.index }));
  const ops = diffKernel({ proxies }, actual);
  const noted = notedIn(actual);
  if (places.length === 0) restoreSysctls(sysctlRoot, noted);
  const { refused: sysctls, former } = ensureSysctls(sysctlRoot, sysctlsFor(places));
  // What is noted already is older, so it is what was there before us.
  const note = former.size > 0 ? formatNote(new Map([...former, ...noted])) : "";
  const notes = note === "" ? [] : [{ op: "note", text: note } as const];
  const refused = await applyAll(run.memory, [...ops, ...notes], actual);
  const { bindings, unguarded } = assignModes(options, run, {
    actual,
    places,
    isRefused: place =>
      refused.some(({ op }) => concerns(op, place)) || sysctls.some(sysctl => isOf(sysctl, place)),
  });
  const failure = await options.packets.answer(bindings.flatMap(b => packetBinding(b, actual)));
  const answering = bindings.filter(({ mode }) => mode !== "packet" || failure === undefined);
  const refusedOps = new Set(refused.map(({ op }) => op));
  const added = new Set(ops.flatMap(op => (refusedOps.has(op) ? [] : addedBy(op))));
  return {
    answering,
    links: actual.links,
    fresh: answering.filter(
      binding =>
        added.has(placeKey(binding)) ||
        (binding.mode === "packet" && !wasAnswering(binding, run.last)) ||
        isRenewed(binding.link, run.last.links),
    ),
    withoutInterface: chosen.filter(({ links }) => links.length === 0).map(c => c.address),
    unguarded,
    problems: [
      ...[...sysctls, ...refused].map(({ problem }) => problem),
      ...(failure === undefined ? [] : [failure]),
    ],
  };
}

/** The values that settings had before this program, as noted on its device. */
function notedIn({ links }: KernelState): ReturnType<typeof parseNote> {
  return parseNote(links.find(({ name }) => name === DEVICE)?.alias ?? "");
}

type Findings = {
  readonly actual: KernelState;
  readonly places: readonly Place[];
  readonly isRefused: (place: Place) => boolean;
};

function assignModes(
  { sysctlRoot, excludes, packets }: ResponderOptions,
  { known }: Run,
  { actual, places, isRefused }: Findings,
): { readonly bindings: readonly Binding[]; readonly unguarded: readonly Unguarded[] } {
  const { links, locals } = actual;
  const own = new Set(locals.map(({ address }) => address));
  const addresses = new Set([...known, ...places.map(({ address }) => address)]);
  const ours = [...addresses].filter(address => own.has(address));
  const announcing = chooseInterfaces(links, "all", excludes);
  const used = new Set([...announcing, ...places.map(({ link }) => link)]);
  // Without an address that is local, nobody needs to know.
  const names = ours.length > 0 ? [...used].map(({ name }) => name) : [];
  const arp = readArpSettings(sysctlRoot, names);
  const unguarded = unguardedOf(ours, announcing, { locals, arp });
  // Where this node will have to answer by packets once it owns an address, that is not to take long.
  if (ours.some(address => familyOf(address) === "ipv4") && unguarded.length === 0) packets.warm();
  const bindings = places.map(place => {
    const input = { locals, arp, isRefused: isRefused(place) };
    return { ...place, mode: answerModeOf(place.address, place.link, input) };
  });
  return { bindings, unguarded };
}

function packetBinding(
  { address, link, mode }: Binding,
  { locals }: KernelState,
): readonly PacketBinding[] {
  if (mode !== "packet") return [];
  const { index: interfaceIndex, mac, linkLocal } = link;
  const isLocal = locals.some(local => local.address === address);
  return [
    {
      ...{ address, interfaceIndex, mac, isLocal },
      ...(linkLocal === undefined ? {} : { linkLocal }),
    },
  ];
}

/** Behind the link is another switch port, or neighbours know an address that it has no more. */
function isRenewed(link: Link, before: readonly Link[]): boolean {
  const known = before.find(({ index }) => index === link.index);
  return known !== undefined && (known.mac !== link.mac || (!known.carrier && link.carrier));
}

function wasAnswering({ address, link }: Place, { answering }: Outcome): boolean {
  return answering.some(last => last.address === address && last.link.index === link.index);
}

function placeKey({ address, link }: Place): string {
  return proxyKey({ address, interfaceIndex: link.index });
}

function addedBy(op: KernelOp): readonly string[] {
  return op.op === "add-proxy" ? [proxyKey(op)] : [];
}

/** Without the change, the kernel does not answer there. IPv6 answers without a route as well. */
function concerns(op: KernelOp, place: Place): boolean {
  if (addedBy(op).includes(placeKey(place))) return true;
  if (familyOf(place.address) === "ipv6") return false;
  if (op.op === "add-route") return op.address === place.address;
  return op.op === "add-device" || op.op === "set-device-flags";
}

function isOf({ path }: RefusedSysctl, { address, link }: Place): boolean {
  const [family = "", , interfaceName = "", setting] = path.split("/");
  const isThere = interfaceName === link.name || interfaceName === "all";
  return family === familyOf(address) && isThere && setting !== "accept_ra";
}

function sysctlsFor(places: readonly Place[]): ReturnType<typeof neededSysctls> {
  const families = new Map<string, Set<Family>>();
  for (const { address, link } of places) {
    const known = families.get(link.name) ?? new Set<Family>();
    families.set(link.name, known.add(familyOf(address)));
  }
  return [...families].flatMap(([name, set]) => neededSysctls(name, set));
}

type RefusedOp = { readonly op: KernelOp; readonly problem: string };

/** Changes on their way to the kernel at once: their answers must fit into the socket's buffer. */
const AT_ONCE = 64;

/**
 * Applies what can be applied, in this order; one refused change does not keep the others back. The kernel makes each
 * change when it is sent, so the next one need not wait for the answer: a hundred addresses are one wait and not two hundred.
 */
async function applyAll(
  kernel: Pick<Kernel, "apply" | "linkIndex">,
  ops: readonly KernelOp[],
  actual: KernelState,
): Promise<readonly RefusedOp[]> {
  const refused: RefusedOp[] = [];
  let device = actual.links.find(({ name }) => name === DEVICE)?.index;
  const apply = async (op: KernelOp): Promise<void> => {
    try {
      await kernel.apply(op, device);
      if (op.op === "add-device") device = await kernel.linkIndex(DEVICE);
    } catch (error) {
      refused.push({ op, problem: problemOf(op, error) });
    }
  };
  // What follows has to know the device's index.
  const first = ops[0]?.op === "add-device" ? 1 : 0;
  await Promise.all(ops.slice(0, first).map(apply));
  for (let at = first; at < ops.length; at += AT_ONCE) {
    await Promise.all(ops.slice(at, at + AT_ONCE).map(apply));
  }
  return refused;
}

function problemOf(op: KernelOp, error: unknown): string {
  const target = "address" in op ? `${op.op} ${op.address}` : op.op;
  const remedy = String(error).endsWith("EPERM")
    ? ": add the capability NET_ADMIN to the container's security context"
    : "";
  return `kernel: ${target}${describeEntry(op)} failed (${String(error)})${remedy}`;
}

function describeEntry(op: KernelOp | ProxyEntry): string {
  return "interfaceIndex" in op ? ` on interface ${op.interfaceIndex}` : "";
}
