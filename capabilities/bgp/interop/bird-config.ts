import { CASES, ourAddress, ourAs, peerAddress, ROUTER_AS } from "./cases";
import type { Case } from "./cases";
import { ROUTERS } from "./hosts";

type BirdName = "bird" | "bird3";

/** BIRD's side of all cases. Without the timers a rejected session waits for a minute. */
export function birdConfig(name: BirdName): string {
  const cases = CASES.filter(({ routers }) => routers.includes(name));
  return `
router id 10.9.0.${ROUTERS[name]};
protocol device { }
template bgp any {
  connect delay time 1; connect retry time 2; error wait time 1, 2; hold time 9;
}
${cases.map(one => protocolOf(one, name)).join("\n")}`;
}

function protocolOf(one: Case, name: BirdName): string {
  const over = one.isIpv4OverIpv6 === true ? "extended next hop on;" : "";
  return `
protocol bgp c${one.number} from any {
  local ${peerAddress(one, name)} as ${ROUTER_AS[name]};
  neighbor ${ourAddress(one)} as ${ourAs(one, name)};
  ${one.dials === "we" ? "passive on;" : ""}
  ${one.password === undefined ? "" : `password "${one.password}";`}
  ${one.hasTtlSecurity === true ? "ttl security on;" : ""}
  ipv4 { import all; export none; ${over} };
  ipv6 { import all; export none; };
}`;
}
