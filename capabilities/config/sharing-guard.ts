import type { Finding } from "./selector-rules";

/**
 * On an IPAddressPool: who may share one of its addresses with those who hold it. "all" (MetalLB's way, and ours
 * without a word about it): every Service with the same key; "namespace": those of the holders' namespace only, so that
 * who knows a key of another team still cannot join it.
 */
export const SHARING = "ancho.dev/sharing";

export type SharingGuard = "all" | "namespace";

/** What the annotation says; undefined if it is neither of the two. */
export function parseSharing(
  annotations: Readonly<Record<string, string>> | undefined,
): SharingGuard | undefined {
  const text = annotations?.[SHARING] ?? "all";
  return text === "all" || text === "namespace" ? text : undefined;
}

/** What is wrong with a pool's annotation. */
export function sharingFindings(
  annotations: Readonly<Record<string, string>> | undefined,
): readonly Finding[] {
  if (parseSharing(annotations) !== undefined) return [];
  return [
    {
      field: `metadata.annotations[${SHARING}]`,
      value: annotations?.[SHARING],
      problem: "is not a way to share",
      remedy: 'write "all", or "namespace" to share within a namespace only',
    },
  ];
}
