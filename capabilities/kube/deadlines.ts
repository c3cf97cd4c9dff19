/**
 * Keys with a time each, soonest first: a binary heap that leaves outdated entries in place until
 * they come up, so that set and delete need no search.
 */
export type Deadlines = {
  /** Gives the key this time instead of any it had. */
  set(key: string, at: number): void;
  delete(key: string): void;
  get(key: string): number | undefined;
  /** The soonest time of all, or undefined if there is none. */
  next(): number | undefined;
  /** Removes and returns one key whose time is `now` or before, soonest first. */
  popDue(now: number): string | undefined;
  keys(): Iterable<string>;
  size(): number;
};

type Slot = { readonly key: string; readonly at: number };

export function createDeadlines(): Deadlines {
  const current = new Map<string, number>();
  const heap: Slot[] = [];

  function top(): Slot | undefined {
    let first = heap[0];
    while (first !== undefined && current.get(first.key) !== first.at) {
      removeTop(heap);
      first = heap[0];
    }
    return first;
  }

  return {
    set(key, at) {
      if (current.get(key) !== at) {
        current.set(key, at);
        push(heap, { key, at });
      }
    },
    delete: key => void current.delete(key),
    get: key => current.get(key),
    next: () => top()?.at,
    popDue(now) {
      const first = top();
      if (first === undefined || first.at > now) {
        return undefined;
      }
      removeTop(heap);
      current.delete(first.key);
      return first.key;
    },
    keys: () => current.keys(),
    size: () => current.size,
  };
}

function push(heap: Slot[], slot: Slot): void {
  let index = heap.length;
  heap.push(slot);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!swapIfSooner(heap, index, parent)) {
      return;
    }
    index = parent;
  }
}

function removeTop(heap: Slot[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) {
    return;
  }
  heap[0] = last;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const child = isSooner(heap[left + 1], heap[left]) ? left + 1 : left;
    if (!swapIfSooner(heap, child, index)) {
      return;
    }
    index = child;
  }
}

/** Swaps a child with its parent if the child is sooner; says whether it did. */
function swapIfSooner(heap: Slot[], child: number, parent: number): boolean {
  const lower = heap[child];
  const upper = heap[parent];
  if (lower === undefined || upper === undefined || !isSooner(lower, upper)) {
    return false;
  }
  heap[child] = upper;
  heap[parent] = lower;
  return true;
}

function isSooner(a: Slot | undefined, b: Slot | undefined): boolean {
  return a !== undefined && b !== undefined && a.at < b.at;
}
