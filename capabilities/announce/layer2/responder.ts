import type { Family } from "../../config/address";
import { diffKernel } from "./diff";
import { chooseInterfaces } from "./interfaces";
import type { WantedInterfaces } from "./interfaces";
import { DEVICE, familyOf } from "./kernel-state";
import type { KernelOp, KernelState, Link, ProxyEntry } from "./kernel-state";
import type { Kernel } from "./netlink";
import { ensureSysctls, neededSysctls } from "./sysctl";

/** What this node is to answer for, and on which interfaces. */
export type Owned = ReadonlyMap<string, WantedInterfaces>;

/** An address on a link. */
export type Binding = { readonly address: string; readonly link: Link };

/** What a run found and did. */
export type Outcome = {
  /** All that the kernel answers for now. */
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
  /** What went wrong, as sentences. Runs are repeated until there is nothing. */
  readonly problems: readonly string[];
};

/** Nothing is known yet. */
export const NO_OUTCOME: Outcome = {
  answering: [],
  fresh: [],
  links: [],
  withoutInterface: [],
  problems: [],
};

export type ResponderOptions = {
  readonly kernel: Kernel;
  /** Where /proc/sys/net of the node is. */
  readonly sysctlRoot: string;
  /** Interfaces that are not to announce unless named. */
  readonly excludes: readonly RegExp[];
  readonly onOutcome: (outcome: Outcome) => void;
  /** Runs a callback after some ms; the returned function cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
};

/** Keeps the kernel answering for what is owned, whatever happens to links and entries. */
export type Responder = {
  /** Reads what an earlier run of this program left, and keeps it until `own` says otherwise. */
  adopt(): Promise<Owned>;
  /** From now on answer for these and no others. Resolves when a run with them has ended. */
  own(owned: Owned): Promise<void>;
  stop(): Promise<void>;
};

/**
 * What the kernel itself drops, with a link, it reports. It does not report that somebody deleted a proxy entry,
 * so we look, ms.
 */
const RECHECK_MS = 10_000;
const RETRY_MS = 500;

export function createResponder(options: ResponderOptions): Responder {
  const { kernel, after, onOutcome } = options;
  let owned: Owned | undefined;
  let running = Promise.resolve();
  let isRunning = false;
  let isDirty = false;
  let outcome: Outcome = NO_OUTCOME;
  let isStopped = false;
  let cancelTimer = (): void => undefined;

  async function loop(): Promise<void> {
    isRunning = true;
    while (isDirty && !isStopped && owned) {
      isDirty = false;
      outcome = await runOnce(options, owned, outcome);
      cancelTimer();
      cancelTimer = after(outcome.problems.length > 0 ? RETRY_MS : RECHECK_MS, trigger);
      onOutcome(outcome);
    }
    isRunning = false;
  }

  function trigger(): void {
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
    stop: async () => {
      isStopped = true;
      cancelTimer();
      await running;
    },
  };
}

/** Removes every entry, route and device of ours from the kernel. */
export async function cleanUp(kernel: Kernel): Promise<readonly string[]> {
  const actual = await kernel.dump();
  const refused = await applyAll(kernel, diffKernel({ proxies: [] }, actual), actual);
  return refused.map(({ problem }) => problem);
}

async function readOwned(kernel: Kernel): Promise<Owned> {
  const { links, proxies } = await kernel.dump();
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const owned = new Map<string, string[]>();
  for (const { address, interfaceIndex } of proxies) {
    const name = names.get(interfaceIndex);
    if (name !== undefined) owned.set(address, [...(owned.get(address) ?? []), name]);
  }
  return owned;
}

/** What cannot be read is taken to be as it was found last. */
async function runOnce(options: ResponderOptions, owned: Owned, last: Outcome): Promise<Outcome> {
  try {
    return await reconcileKernel(options, owned, last.links);
  } catch (error) {
    const problem = `the kernel's network state could not be read: ${String(error)}`;
    return { ...last, fresh: [], problems: [problem] };
  }
}

async function reconcileKernel(
  { kernel, sysctlRoot, excludes }: ResponderOptions,
  owned: Owned,
  linksBefore: readonly Link[],
): Promise<Outcome> {
  const actual = await kernel.dump();
  const chosen = [...owned].map(([address, wanted]) => ({
    address,
    links: chooseInterfaces(actual.links, wanted, excludes),
  }));
  const bindings = chosen.flatMap(({ address, links }) => links.map(link => ({ address, link })));
  const proxies = bindings.map(({ address, link }) => ({ address, interfaceIndex: link.index }));
  const ops = diffKernel({ proxies }, actual);
  const sysctls = await ensureSysctls(sysctlRoot, sysctlsFor(bindings));
  const refused = await applyAll(kernel, ops, actual);
  const isRefused = (binding: Binding): boolean => refused.some(({ op }) => adds(op, binding));
  const answering = bindings.filter(binding => !isRefused(binding));
  return {
    answering,
    links: actual.links,
    fresh: answering.filter(
      binding => ops.some(op => adds(op, binding)) || isRenewed(binding.link, linksBefore),
    ),
    withoutInterface: chosen.filter(({ links }) => links.length === 0).map(c => c.address),
    problems: [...sysctls, ...refused.map(({ problem }) => problem)],
  };
}

/** Behind the link is another switch port, or neighbours know an address that it has no more. */
function isRenewed(link: Link, before: readonly Link[]): boolean {
  const known = before.find(({ index }) => index === link.index);
  return known !== undefined && (known.mac !== link.mac || (!known.carrier && link.carrier));
}

function adds(op: KernelOp, { address, link }: Binding): boolean {
  return op.op === "add-proxy" && op.address === address && op.interfaceIndex === link.index;
}

function sysctlsFor(bindings: readonly Binding[]): ReturnType<typeof neededSysctls> {
  const families = new Map<string, Set<Family>>();
  for (const { address, link } of bindings) {
    const known = families.get(link.name) ?? new Set<Family>();
    families.set(link.name, known.add(familyOf(address)));
  }
  return [...families].flatMap(([name, set]) => neededSysctls(name, set));
}

type RefusedOp = { readonly op: KernelOp; readonly problem: string };

/** Applies what can be applied; one refused change does not keep the others back. */
async function applyAll(
  kernel: Kernel,
  ops: readonly KernelOp[],
  actual: KernelState,
): Promise<readonly RefusedOp[]> {
  const refused: RefusedOp[] = [];
  let device = actual.links.find(({ name }) => name === DEVICE)?.index;
  for (const op of ops) {
    try {
      await kernel.apply(op, device);
      if (op.op === "add-device") device = await kernel.linkIndex(DEVICE);
    } catch (error) {
      refused.push({ op, problem: problemOf(op, error) });
    }
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
