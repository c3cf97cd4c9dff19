import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout; every tool in hack/ works from here, whatever the caller's folder. */
export const repoRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** An absolute path inside the checkout. */
export function inRepo(...parts: readonly string[]): string {
  return join(repoRoot, ...parts);
}

/** Name of the one image that holds the control plane and the announcer. */
export const anchoImage = process.env["ANCHO_IMAGE"] ?? "ancho:dev";
