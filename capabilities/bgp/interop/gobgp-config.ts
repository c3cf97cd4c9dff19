import { CASES, ourAddress, ourAs, peerAddress, ROUTER_AS } from "./cases";
import type { Case } from "./cases";
import { ROUTERS } from "./hosts";

/** GoBGP's side of all cases. */
export function gobgpConfig(): string {
  const cases = CASES.filter(({ routers }) => routers.includes("gobgp"));
  return `
[global.config]
  as = ${ROUTER_AS.gobgp}
  router-id = "10.9.0.${ROUTERS.gobgp}"
${cases.map(neighborOf).join("\n")}`;
}

function neighborOf(one: Case): string {
  return `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${ourAddress(one)}"
    peer-as = ${ourAs(one, "gobgp")}
    ${one.password === undefined ? "" : `auth-password = "${one.password}"`}
  [neighbors.transport.config]
    local-address = "${peerAddress(one, "gobgp")}"
    passive-mode = ${String(one.dials === "we")}
  [neighbors.timers.config]
    connect-retry = 1
    hold-time = 9
    idle-hold-time-after-reset = 1
  ${one.hasTtlSecurity === true ? "[neighbors.ttl-security.config]\n    enabled = true\n    ttl-min = 255" : ""}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
`;
}
