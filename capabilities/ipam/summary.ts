import type { VirtualIP } from "../config/kinds/virtual-ip";
import { holderTitle, isPending } from "./claim";
import { isInConflict, isReleased } from "./ledger";

/** What `kubectl get vip` shows of who holds an address: it follows from the rest of the VirtualIP. */
export type Summary = Required<Pick<VirtualIP["spec"], "phase" | "service">>;

/** Who holds the address, or held it last, and how it stands with it. */
export function summaryOf(vip: Pick<VirtualIP, "spec" | "status">): Summary {
  const { holders, released } = vip.spec;
  const isKept = isReleased(vip) && released !== undefined;
  const service = isKept
    ? `${released.namespace}/${released.name}`
    : holders.map(holderTitle).join(", ");
  return { phase: phaseOf(vip), service };
}

/** The VirtualIP as it is, with its summary. */
export function summarized(vip: VirtualIP): VirtualIP {
  return { ...vip, spec: { ...vip.spec, ...summaryOf(vip) } };
}

/** True if the VirtualIP says it already. */
export function isSummarized(vip: VirtualIP): boolean {
  const { phase, service } = summaryOf(vip);
  return vip.spec.phase === phase && vip.spec.service === service;
}

function phaseOf(vip: Pick<VirtualIP, "spec" | "status">): Summary["phase"] {
  if (isInConflict(vip)) return "Conflict";
  if (isReleased(vip)) return "Released";
  return vip.spec.holders.every(isPending) && vip.spec.holders.length > 0 ? "Pending" : "Bound";
}
