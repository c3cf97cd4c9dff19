import type { Finding } from "./selector-rules";

/**
 * On an IPAddressPool: for how long a freed address is kept for the Service that had it, as "10m", "1h30m", "45s";
 * "0" keeps nothing. IPAddressPool's fields are MetalLB's, so it is an annotation.
 */
export const RECLAIM_AFTER = "ancho.dev/reclaim-after";

/** For how long where no annotation says it, ms. */
export const DEFAULT_RECLAIM_AFTER_MS = 600_000;
const DURATION = /^(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/;

/** The time in ms that a pool's annotation asks for, 10 minutes without one; undefined if it is no duration. */
export function parseReclaimAfter(
  annotations: Readonly<Record<string, string>> | undefined,
): number | undefined {
  const text = annotations?.[RECLAIM_AFTER];
  if (text === undefined) return DEFAULT_RECLAIM_AFTER_MS;
  if (text === "0") return 0;
  const [all, hours = "0", minutes = "0", seconds = "0"] = DURATION.exec(text) ?? [];
  if (!all) return undefined;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}

/** What is wrong with a pool's annotation. */
export function reclaimFindings(
  annotations: Readonly<Record<string, string>> | undefined,
): readonly Finding[] {
  if (parseReclaimAfter(annotations) !== undefined) return [];
  return [
    {
      field: `metadata.annotations[${RECLAIM_AFTER}]`,
      value: annotations?.[RECLAIM_AFTER],
      problem: "is not a duration",
      remedy: 'write one like "10m", "1h30m" or "45s", or "0" to keep no address',
    },
  ];
}
