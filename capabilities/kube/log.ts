import { pino } from "pino";
import type { Logger } from "pino";

export type { Logger } from "pino";

/** The part of a logger that this folder needs; a pino logger is one. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** A JSON logger on stdout for one component; env LOG_LEVEL sets the level (default info). */
export function createLogger(component: string): Logger {
  return pino({
    level: process.env["LOG_LEVEL"] ?? "info",
    base: { component },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
