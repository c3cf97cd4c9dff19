/** The values that settings had before this program changed them, by their path below net. */
export type FormerValues = ReadonlyMap<string, string>;

/** Longest alias that the kernel keeps for a link (IFALIASZ), without its end. */
const MAX_NOTE_BYTES = 255;

/**
 * Settings that serve proxying alone, each with its short name. The others (forwarding, accept_ra) stay when
 * this program goes: Kubernetes needs a node that forwards.
 */
const NOTED: Readonly<Record<string, readonly [before: string, after: string]>> = {
  d4: ["ipv4/neigh/", "/proxy_delay"],
  d6: ["ipv6/neigh/", "/proxy_delay"],
  n6: ["ipv6/conf/", "/proxy_ndp"],
};

/**
 * The values as text that fits a link's alias, such as `d4:eth0=80 n6:eth0=0`: kept on our own device, they
 * outlive a crash, are the network namespace's as the settings are, and end with the device. What does not fit is
 * left out, and so stays as this program set it.
 */
export function formatNote(former: FormerValues): string {
  let note = "";
  for (const [path, value] of former) {
    const token = tokenOf(path, value);
    const next = token === undefined ? note : `${note} ${token}`.trimStart();
    if (next.length <= MAX_NOTE_BYTES) note = next;
  }
  return note;
}

/** Reads such a text; what is not ours is passed over. */
export function parseNote(note: string): FormerValues {
  const former = new Map<string, string>();
  for (const token of note.split(" ")) {
    const [, name = "", interfaceName, value] = /^(\w\w):(.+)=(\d+)$/.exec(token) ?? [];
    const around = NOTED[name];
    if (!around || interfaceName === undefined || value === undefined) continue;
    former.set(`${around[0]}${interfaceName}${around[1]}`, value);
  }
  return former;
}

function tokenOf(path: string, value: string): string | undefined {
  for (const [name, [before, after]] of Object.entries(NOTED)) {
    if (!path.startsWith(before) || !path.endsWith(after)) continue;
    return `${name}:${path.slice(before.length, -after.length)}=${value}`;
  }
  return undefined;
}
