import type { Finding } from "../selector-rules";

/**
 * On a BGPAdvertisement: "endpoints" tells routers, by the link bandwidth of each route, how many of a Service's
 * endpoints are on the node, so that those who weigh routes give each endpoint the same share. Only with
 * externalTrafficPolicy Local: otherwise each node sends to all of them.
 */
export const WEIGHT = "ancho.dev/weight";

type Annotations = Readonly<Record<string, string>> | undefined;

/** True if routes are to be weighed by endpoints. */
export function weighsEndpoints(annotations: Annotations): boolean {
  return annotations?.[WEIGHT] === "endpoints";
}

/** What is wrong with an advertisement's annotation. */
export function weightFindings(annotations: Annotations): readonly Finding[] {
  const text = annotations?.[WEIGHT];
  if (text === undefined || text === "endpoints") return [];
  const remedy = 'write "endpoints", or remove it for routes of equal weight';
  const problem = "is nothing that routes can be weighed by";
  return [{ field: `metadata.annotations[${WEIGHT}]`, value: text, problem, remedy }];
}
