import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { ALLOW_SHARED_IP, readAnnotation } from "../config/annotations";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import { SHARING } from "../config/sharing-guard";
import type { SharingGuard } from "../config/sharing-guard";
import { vipName } from "../config/vip-name";
import type { Service } from "./service";

/** How long a claim may wait for its Service to appear before it is collected. */
export const PENDING_TTL_MS = 60_000;

/** Why an address is held, for `kubectl get vip -o wide`. */
export type ClaimReason =
  | "lowest free address"
  | "free for the longest time"
  | "requested"
  | "shared"
  | "already assigned"
  | "held before";

/**
 * The holder that stands for a Service. At admission of a create there is no uid, and perhaps no name:
 * then `claimId` tells apart two Services that share a `generateName`.
 */
export function holderOf(
  service: Service,
  { namespace, claimId, now }: { namespace: string; claimId?: string; now: number },
): Holder {
  const { name, generateName, uid } = service.metadata ?? {};
  const isPending = claimId !== undefined;
  return {
    namespace,
    ...(name ? { name } : {}),
    ...(!name && generateName ? { generateName } : {}),
    ...(isPending ? { claimId } : {}),
    ...(!isPending && uid ? { uid } : {}),
    claimedAt: new Date(now).toISOString(),
    ...sharingOf(service),
  };
}

/** A VirtualIP whose existence makes `holder` the holder of the address. */
export function buildVirtualIP(
  address: IpAddress,
  pool: string,
  reason: ClaimReason,
  holder: Holder,
): VirtualIP {
  return {
    metadata: { name: vipName(address) },
    spec: { address: formatAddress(address), pool, reason, holders: [holder] },
  };
}

/** Does `holder` stand for the Service that `mine` stands for? */
export function isSameHolder(holder: Holder, mine: Holder): boolean {
  if (holder.namespace !== mine.namespace) return false;
  if (mine.name === undefined) return holder.claimId === mine.claimId;
  return holder.name === mine.name;
}

/**
 * Is `holder` the claim that admission made for this Service before it had a name? Only to be asked for
 * an address that the Service itself bears.
 */
export function isUnnamedClaimOf(holder: Holder, service: Service, namespace: string): boolean {
  return (
    holder.name === undefined &&
    holder.generateName !== undefined &&
    holder.namespace === namespace &&
    holder.generateName === service.metadata?.generateName
  );
}

/** Does the claim still wait for the Service to appear? */
export function isPending(holder: Holder): boolean {
  return holder.uid === undefined;
}

/** How long a pending claim may wait yet, in ms; 0 when its time is over. */
export function pendingMsLeft(holder: Holder, now: number): number {
  return Math.max(0, Date.parse(holder.claimedAt) + PENDING_TTL_MS - now) || 0;
}

/** Why an address cannot be shared with its holders, in words that continue "the address …". */
export type JoinRefusal = {
  readonly by: Holder;
  readonly problem: string;
  readonly remedy: string;
};

/** Who asks to be among the holders, and what the pool says of that. */
export type Joining = {
  readonly mine: Holder;
  readonly sharing: SharingGuard;
  /** Which holders stand for the same Service. */
  readonly isMine?: (holder: Holder) => boolean;
};

/**
 * MetalLB's sharing predicate (internal/allocator, checkSharing): everyone who holds the address has the
 * same non-empty key, the same backend key, and no port in common. Undefined: `mine` may join. The pool's guard is
 * asked of newcomers only, so that setting it takes no address away.
 */
export function joinRefusal(
  holders: readonly Holder[],
  { mine, sharing, isMine = holder => isSameHolder(holder, mine) }: Joining,
): JoinRefusal | undefined {
  const others = holders.filter(holder => !isMine(holder));
  const isIn = others.length < holders.length;
  const stranger = others.find(({ namespace }) => namespace !== mine.namespace);
  for (const by of others) {
    const refusal = pairRefusal(by, mine);
    if (refusal) return { by, ...refusal };
  }
  if (sharing === "all" || isIn || !stranger) return undefined;
  return {
    by: stranger,
    problem: `is held by ${holderTitle(stranger)} of another namespace, and its IPAddressPool has ${SHARING} "namespace"`,
    remedy: `ask for another address, or have the pool's annotation ${SHARING} set to "all"`,
  };
}

/** A holder's title for messages: `namespace/name`. */
export function holderTitle({ namespace, name, generateName }: Holder): string {
  return `${namespace}/${name ?? `${generateName ?? ""}*`}`;
}

const REMEDY = `set the annotation ${ALLOW_SHARED_IP} to the same key on both, with different ports, or ask for another address`;

function pairRefusal(by: Holder, mine: Holder): { problem: string; remedy: string } | undefined {
  const title = holderTitle(by);
  if (!by.sharingKey || by.sharingKey !== mine.sharingKey) {
    const how = by.sharingKey ? "shares it only under another key" : "does not share it";
    return { problem: `is held by ${title}, which ${how}`, remedy: REMEDY };
  }
  if ((by.backendKey ?? "") !== (mine.backendKey ?? "")) {
    return {
      problem: `is held by ${title}, whose externalTrafficPolicy or pods differ`,
      remedy:
        "use externalTrafficPolicy Cluster on both, or Local on both with the same selector, or ask for another address",
    };
  }
  const ports = new Set((by.ports ?? []).map(portTitle));
  const clash = (mine.ports ?? []).map(portTitle).find(port => ports.has(port));
  if (clash === undefined) return undefined;
  return {
    problem: `is held by ${title}, which uses its port ${clash}`,
    remedy: "use another port, or ask for another address",
  };
}

function portTitle({ protocol, port }: { protocol: string; port: number }): string {
  return `${protocol}/${port}`;
}

/** What others must know to share an address with the Service; nothing if it does not want to. */
function sharingOf(service: Service): Pick<Holder, "ports" | "sharingKey" | "backendKey"> {
  const sharingKey = readAnnotation(service.metadata?.annotations, ALLOW_SHARED_IP);
  if (!sharingKey) return {};
  const { ports, externalTrafficPolicy, selector } = service.spec ?? {};
  const pairs = Object.entries(selector ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    ports: (ports ?? []).map(({ protocol, port }) => ({ protocol: protocol ?? "TCP", port })),
    sharingKey,
    backendKey: externalTrafficPolicy === "Local" ? pairs.sort().join(",") : "",
  };
}
