import { proxyKey } from "./kernel-state";
import type { KernelOp, KernelState, ProxyEntry } from "./kernel-state";
import type { Kernel } from "./netlink";

/** The kernel, and what is known of it: read once, with the changes since that were made here. */
export type KernelMemory = Pick<Kernel, "apply" | "linkIndex"> & {
  /** The kernel's state as it is known, or else read. Rejects when the kernel does not answer in time. */
  state(): Promise<KernelState>;
  /** True if nothing has to be read for that. */
  isKnown(): boolean;
  /** Something may have changed that was not made here. */
  forget(): void;
};

type Known = {
  readonly read: KernelState;
  readonly proxies: Map<string, ProxyEntry>;
  readonly routes: Set<string>;
};

/**
 * To read the kernel's state takes seven exchanges, each with all that waits for the processor between; an heir knows what
 * its kernel holds, and its LAN waits.
 */
export function rememberKernel(kernel: Kernel): KernelMemory {
  let known: Known | undefined;
  let readings = 0;

  function forget(): void {
    known = undefined;
    readings += 1;
  }

  return {
    state: async () => {
      if (known)
        return { ...known.read, proxies: [...known.proxies.values()], routes: [...known.routes] };
      const reading = ++readings;
      const read = await kernel.dump();
      // What changed meanwhile may be in it or not.
      if (reading === readings) {
        const proxies = new Map(read.proxies.map(entry => [proxyKey(entry), entry]));
        known = { read, proxies, routes: new Set(read.routes) };
      }
      return read;
    },
    isKnown: () => known !== undefined,
    forget,
    apply: async (op, deviceIndex) => {
      try {
        await kernel.apply(op, deviceIndex);
      } catch (error) {
        forget();
        throw error;
      }
      if (!known || !note(known, op)) forget();
    },
    linkIndex: name => kernel.linkIndex(name),
  };
}

/** False for changes of links, of which the kernel has more to say. */
function note({ proxies, routes }: Known, op: KernelOp): boolean {
  switch (op.op) {
    case "add-proxy":
      proxies.set(proxyKey(op), { address: op.address, interfaceIndex: op.interfaceIndex });
      return true;
    case "remove-proxy":
      proxies.delete(proxyKey(op));
      return true;
    case "add-route":
      routes.add(op.address);
      return true;
    case "remove-route":
      routes.delete(op.address);
      return true;
    default:
      return false;
  }
}
