import { CASES, ourAddress, ourAs, peerAddress, ROUTER_AS } from "./cases";
import type { Case } from "./cases";
import { ROUTERS } from "./hosts";

/** FRR's side of all cases. */
export function frrConfig(more = ""): string {
  const cases = CASES.filter(({ routers }) => routers.includes("frr"));
  return `
log commands
router bgp ${ROUTER_AS.frr}
 bgp router-id 10.9.0.${ROUTERS.frr}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
${cases.map(neighborOf).join("\n")}
${more}
 address-family ipv4 unicast
${cases.map(one => `  neighbor ${ourAddress(one)} activate`).join("\n")}
 exit-address-family
 address-family ipv6 unicast
${cases.map(one => `  neighbor ${ourAddress(one)} activate`).join("\n")}
 exit-address-family
`;
}

function neighborOf(one: Case): string {
  const address = ourAddress(one);
  const lines = [
    `remote-as ${ourAs(one, "frr")}`,
    `update-source ${peerAddress(one, "frr")}`,
    "timers 3 9",
    "timers connect 1",
    ...(one.dials === "we" ? ["passive"] : []),
    ...(one.password === undefined ? [] : [`password ${one.password}`]),
    ...(one.hasTtlSecurity === true ? ["ttl-security hops 1"] : []),
    ...(one.isIpv4OverIpv6 === true ? ["capability extended-nexthop"] : []),
  ];
  return lines.map(line => ` neighbor ${address} ${line}`).join("\n");
}
