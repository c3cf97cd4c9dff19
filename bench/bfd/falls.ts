import type { BfdStatus } from "../../capabilities/bgp/index";

/** How often a session was taken down, by who missed the other's packets. */
export type Falls = { readonly byUs: number; readonly byThem: number };

/** RFC 5880 section 4.1, control detection time expired: the side that says so heard nothing. */
const EXPIRED = 1;

export function countFalls(): {
  readonly take: (status: Pick<BfdStatus, "state" | "diagnostic">) => void;
  readonly falls: () => Falls;
} {
  let wasUp = false;
  let byUs = 0;
  let byThem = 0;
  return {
    take: ({ state, diagnostic }) => {
      if (wasUp && state !== "Up") {
        if (diagnostic === EXPIRED) byUs++;
        else byThem++;
      }
      wasUp = state === "Up";
    },
    falls: () => ({ byUs, byThem }),
  };
}
