import type { Manifest } from "./manifest";

/** One rule of admission, shown: what is there, what somebody applies, and what is said to it. */
export type Example = {
  /** What the manifest has that the rule is about. */
  readonly rule: string;
  /** What must be in the cluster first, in this order. */
  readonly given: readonly Manifest[];
  readonly manifest: Manifest;
  /** Deleted rather than applied. */
  readonly isDeletion?: boolean;
  /** Refused, or admitted with a warning. */
  readonly isRefused: boolean;
  /** The sentence, made by the code that admission runs. */
  readonly says: string;
};
