import type { Trail, Trails } from "./trail";

/** What the kernel is to do with packets for addresses that this node has or had. */
export type Forwarding = {
  /**
   * Addresses that others answered for as well, and a note of what this node knows of them: what is not delivered
   * here must not go back to the LAN.
   */
  readonly held: ReadonlyMap<string, string>;
  /** Address → address of the node that packets of connections are sent to that this node does not track. */
  readonly previous: ReadonlyMap<string, string>;
};

export const NO_FORWARDING: Forwarding = { held: new Map(), previous: new Map() };

export type ForwardingInput = {
  readonly me: string;
  /** The trails that packets are sent on by; what is noted are the latest. */
  readonly used: Trails;
  /** True for a node whose kernel is believed to run. */
  readonly isReachable: (node: string) => boolean;
  /** The node's address to send to what is for `address`; undefined if there is no direct way. */
  readonly wayTo: (node: string, address: string) => string | undefined;
  /** What was seen of addresses that this node never had is noted, too: it is about to be restarted. */
  readonly notesAll?: boolean;
};

/** The next node of each trail after this one, as far as there is a way to it. */
export function forwardingOf(trails: Trails, input: ForwardingInput): Forwarding {
  const held = new Map<string, string>();
  const previous = new Map<string, string>();
  for (const [address, { epoch, nodes }] of trails) {
    const place = nodes.indexOf(input.me);
    if (nodes.length < 2 || (place < 0 && input.notesAll !== true)) continue;
    held.set(address, formatNote(input.me, { epoch, nodes }));
    for (const node of after(input.me, input.used.get(address)?.nodes ?? nodes)) {
      const way = input.isReachable(node) ? input.wayTo(node, address) : undefined;
      if (way === undefined) continue;
      previous.set(address, way);
      break;
    }
  }
  return { held, previous };
}

/** The nodes behind this one; none if it is not there. */
function after(me: string, nodes: readonly string[]): readonly string[] {
  const place = nodes.indexOf(me);
  return place < 0 ? [] : nodes.slice(place + 1);
}

/** True if the kernel would do the same. */
export function isSameForwarding(a: Forwarding, b: Forwarding): boolean {
  return isSameMap(a.held, b.held) && isSameMap(a.previous, b.previous);
}

function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** The comment of a set's element has at most 128 bytes (libnftnl, NFTNL_UDATA_COMMENT_MAXLEN). */
const LONGEST_NOTE = 120;

/** A trail as text for the kernel to keep: `7 . n2 n3`, the point for this node. What does not fit is left out. */
function formatNote(me: string, { epoch, nodes }: Trail): string {
  let text = String(epoch);
  for (const node of nodes) {
    const word = ` ${node === me ? ME : node}`;
    if (text.length + word.length > LONGEST_NOTE) break;
    text += word;
  }
  return text;
}

const ME = ".";

/** What an earlier run of this node noted; undefined for what is no such note. */
export function parseNote(me: string, text: string): Trail | undefined {
  const [epoch = "", ...nodes] = text.split(" ");
  if (!/^\d{1,10}$/.test(epoch)) return undefined;
  return { epoch: Number(epoch), nodes: nodes.map(node => (node === ME ? me : node)) };
}
