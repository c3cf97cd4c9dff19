/** The LAN of the interop tests: ourselves and the routers. */
import type { HostOptions } from "../../../hack/interop/netns";

/** Our addresses end in the number of a case, so that each has a session of its own with a router. */
const CASES = 24;

const sysctls = ["net.ipv6.conf.default.accept_dad=0"];
/**
 * The kernel has signatures by address: who has a password at one of them is not heard without. So
 * signed sessions are with a second address.
 */
export const SIGNED = 10;
const router = (number: number): HostOptions => ({
  addresses: [number, number + SIGNED].flatMap(end => [`10.9.0.${end}/24`, `fd00:9::${end}/64`]),
  sysctls,
});

export const ROUTERS = { frr: 101, bird: 102, gobgp: 103, exabgp: 104, bird3: 105 } as const;
export type RouterName = keyof typeof ROUTERS;

export const HOSTS = {
  us: {
    addresses: Array.from({ length: CASES }, (_, i) => [
      `10.9.0.${i + 1}/24`,
      `fd00:9::${i + 1}/64`,
    ]).flat(),
    sysctls,
  },
  frr: router(ROUTERS.frr),
  bird: router(ROUTERS.bird),
  gobgp: router(ROUTERS.gobgp),
  exabgp: router(ROUTERS.exabgp),
  bird3: router(ROUTERS.bird3),
} as const satisfies Record<string, HostOptions>;

/** Address of a host in a family, by the number at its end. */
export const address = (family: "ipv4" | "ipv6", number: number): string =>
  family === "ipv4" ? `10.9.0.${number}` : `fd00:9::${number}`;
