import { validatorOf } from "./finding";
import { validateNamespace } from "./namespace";
import { parsers } from "./parsers";
import type { ValidatedKind } from "./parsers";

type Metadata = { readonly namespace?: string; readonly deletionTimestamp?: unknown };

/**
 * Why an object is refused, as one text of sentences; undefined if it is not. An object that is being deleted is
 * never refused: an update then only takes its finalizers away. Never throws.
 */
export function refusalOf(
  kind: ValidatedKind,
  raw: unknown,
  namespace: string,
): string | undefined {
  try {
    const metadata = (raw as { metadata?: Metadata } | undefined)?.metadata;
    if (metadata?.deletionTimestamp) return undefined;
    const sentences = [
      ...validateNamespace(kind, metadata?.namespace, namespace, raw),
      ...validatorOf(parsers[kind])(raw),
    ];
    return sentences.length > 0 ? sentences.join(" ") : undefined;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return `${kind} could not be checked (${cause}); report this with the manifest.`;
  }
}
