/** The routers of the bench: BIRD, which knows a session by its neighbor's address alone, so each has another one. */
import { startBird } from "../../hack/interop/bird";
import type { Bird } from "../../hack/interop/bird";
import type { Inside } from "../../hack/interop/daemon";
import type { HostOptions } from "../../hack/interop/netns";

/** One session, by its addresses: at the side that is watched, and at BIRD. */
export type Pair = { readonly near: string; readonly far: string; readonly ms: number };

type Side = "us" | "other";

/** 3 x 50 ms by both families, and so many of 3 x 100 ms. */
export function pairsOf(side: Side, count: number): readonly Pair[] {
  const net = { us: 1, other: 3 }[side];
  const many = Array.from({ length: count }, (_, index) => ({
    near: `10.9.${net}.${101 + index}`,
    far: `10.9.${net + 1}.${101 + index}`,
    ms: 100,
  }));
  return [
    { near: `10.9.${net}.1`, far: `10.9.${net + 1}.1`, ms: 50 },
    { near: `fd00:91::${net}`, far: `fd00:91::${net + 1}`, ms: 50 },
    ...many,
  ];
}

const subnet = (address: string): string => `${address}/${address.includes(":") ? 64 : 16}`;

/** The hosts with the addresses of their sessions. */
export function hostsOf(
  ours: readonly Pair[],
  others: readonly Pair[],
): Readonly<Record<Side | "bird", HostOptions>> {
  return {
    us: { addresses: ours.map(({ near }) => subnet(near)) },
    other: { addresses: others.map(({ near }) => subnet(near)) },
    bird: { addresses: [...ours, ...others].map(({ far }) => subnet(far)) },
  };
}

export function configurationOf(
  host: "bird" | "other",
  ...groups: readonly (readonly Pair[])[]
): string {
  const sessions = groups.flat().map(({ near, far }) => `neighbor ${near} local ${far};`);
  return `
    router id 10.9.0.${host === "bird" ? 1 : 2};
    protocol device { }
    protocol bfd {
      debug { events };
      interface "*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
      ${sessions.join("\n")}
    }`;
}

/** With real-time priority, or as a daemon is started usually. */
export function startRouter(
  inside: Inside,
  configuration: string,
  isPreferred: boolean,
): Promise<Bird> {
  const first = isPreferred ? ["chrt", "--rr", "1"] : [];
  return startBird(configuration, argv => inside([...first, ...argv]));
}

/** How often BIRD has taken one of these sessions from Up to something else so far: it logs that with `debug { events }` only. */
export async function fallsIn(bird: Bird, pairs: readonly Pair[]): Promise<number> {
  const neighbors = new Set(pairs.map(({ near }) => near));
  const falls = (await bird.log()).matchAll(/Session to (\S+) changed state from Up to/g);
  return [...falls].filter(([, neighbor = ""]) => neighbors.has(neighbor)).length;
}
