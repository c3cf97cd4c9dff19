import type { Outcome } from "../layer2/responder";

/** What is wrong, where, and what to do. */
export function strictArpText(node: string, unguarded: Outcome["unguarded"]): string {
  const addresses = [...new Set(unguarded.map(({ address }) => address))];
  const names = [...new Set(unguarded.map(({ interfaceName }) => interfaceName))];
  const more = addresses.length > 3 ? ` and ${addresses.length - 3} more` : "";
  return (
    `the kernel of node ${node} speaks for ${addresses.slice(0, 3).join(", ")}${more} on ${names.join(", ")} ` +
    "whichever node owns it, since the address is local there and arp_ignore is below 1 or arp_announce below 2: " +
    "set ipvs.strictARP: true in kube-proxy's configuration and restart kube-proxy, " +
    'or run "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2" on every node'
  );
}
