import type { VirtualIP } from "../config/kinds/virtual-ip";

/** Called on changes in the caches; the reconciler puts in what it wants to hear of. */
export type Hooks = {
  beforeVip: (name: string) => readonly string[];
  onVip: (name: string, vip: VirtualIP | undefined, holdersBefore: readonly string[]) => void;
  onPool: () => void;
  /** Somebody has written a pool's status, perhaps over ours. */
  onPoolStatus: () => void;
  onNamespace: () => void;
};

/** Hooks that do nothing yet. */
export function createHooks(): Hooks {
  return {
    beforeVip: () => [],
    onVip: () => undefined,
    onPool: () => undefined,
    onPoolStatus: () => undefined,
    onNamespace: () => undefined,
  };
}
