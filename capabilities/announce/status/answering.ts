import { pushTo } from "../grouped";
import { keptFor } from "../kept";
import type { Outcome } from "../layer2/responder";
import type { AddressPlan, Plan, Verdict } from "../plan";

/** What status objects say of an address, as a text to compare. */
export type AddressSignature = { readonly text: string; readonly services: readonly string[] };

/** What status objects say of each address, to see what changed. */
export function signaturesOf(
  plan: Plan | undefined,
  outcome: Outcome,
): Map<string, AddressSignature> {
  const links = new Map<string, string[]>();
  for (const { address, link, mode } of outcome.answering) {
    pushTo(links, address, `${link.name} ${link.mac} ${mode}`);
  }
  return new Map(
    [...(plan?.addresses.values() ?? [])].map(({ address, owner, services }) => {
      const text = JSON.stringify([owner, services, links.get(address) ?? []]);
      return [address, { text, services }];
    }),
  );
}

/** Who is to answer for a Service's addresses, and on which interfaces this node does. */
export function answerersOf(
  plan: Plan,
  outcome: Outcome,
  service: string,
): {
  addresses: readonly string[];
  owners: ReadonlySet<string>;
  interfaces: readonly string[];
} {
  const planned = addressesByService(plan).get(service) ?? [];
  const addresses = new Set(planned.map(({ address }) => address));
  const links = outcome.answering.filter(({ address }) => addresses.has(address));
  return {
    addresses: [...addresses],
    owners: new Set(planned.map(({ owner }) => owner)),
    interfaces: [...new Set(links.map(({ link }) => link.name))].sort(),
  };
}

/** Asked for each Service of a plan, of which there may be thousands. */
const addressesByService = keptFor((plan: Plan): ReadonlyMap<string, readonly AddressPlan[]> => {
  const found = new Map<string, AddressPlan[]>();
  for (const planned of plan.addresses.values()) {
    for (const service of planned.services) pushTo(found, service, planned);
  }
  return found;
});

/** The verdicts of each Service, in their order. */
export function byService(verdicts: readonly Verdict[]): ReadonlyMap<string, readonly Verdict[]> {
  const found = new Map<string, Verdict[]>();
  for (const verdict of verdicts) pushTo(found, verdict.service, verdict);
  return found;
}
