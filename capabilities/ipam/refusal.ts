/** Why a Service cannot have what it asks for, as one word for programs (conditions, tests, docs). */
export type RefusalCode =
  | "MalformedAddress"
  | "ContradictoryRequest"
  | "TooManyAddresses"
  | "WrongFamily"
  | "AddressInNoPool"
  | "UnknownPool"
  | "PoolNotForService"
  | "AddressNotInPool"
  | "AvoidedAddress"
  | "AddressHeld"
  | "SharingRefused";

/** What is wrong with a request, in parts: a field of the Service, its value, the problem, a remedy. */
export type Refusal = {
  readonly code: RefusalCode;
  readonly field: string;
  readonly value: string;
  readonly problem: string;
  readonly remedy: string;
};

/** One sentence that a user can act on: object, field, value, problem, remedy. */
export function formatRefusal(service: string, refusal: Refusal): string {
  const { field, value, problem, remedy } = refusal;
  return `Service ${service}: ${field} "${value}" ${problem}; ${remedy}`;
}
