import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import { celRules } from "./cel-rules";
import { configRules } from "./config-rules";
import type { Example } from "./example";
import { service } from "./manifest";
import type { Manifest } from "./manifest";
import { serviceRules } from "./service-rules";

export type { Example } from "./example";

/** Every rule of the webhooks with its example; the e2e tests apply them to a real API server. */
export const examples: readonly Example[] = [...serviceRules, ...configRules];

/** `docs/admission.md`: what is refused, what is warned of, and in which words. */
export function admissionMarkdown(): string {
  const [services, resources] = [serviceRules, configRules].map(rules => [
    "### Refused",
    ...rules.filter(({ isRefused }) => isRefused).map(section),
    "### Admitted with a warning",
    ...rules.filter(({ isRefused }) => !isRefused).map(section),
  ]);
  const parts = [
    HEAD,
    ...["## Services", ...(services ?? [])],
    ...["## Resources of metallb.io", ...(resources ?? [])],
    STORED_HEAD,
    storedRules(),
  ];
  return `${parts.join("\n\n")}\n`;
}

const HEAD = `<!-- Written by \`npm run gen\` from hack/gen/admission; do not edit. -->

# What admission says

Every rule of the webhooks, with an example and the answer to it. The answers are made by the code that admission runs,
and each example is applied to a real API server by \`e2e/admission-rules.test.ts\`.

What can never work as written is refused; what only has to wait is admitted with a warning. An update that changes
nothing of what is checked is never refused, and neither is a deletion, except of a protected pool. \`--dry-run=server\`
gets the same answers and claims nothing. With \`ANCHO_REJECT_WAITING=true\` in the environment of the admission servers,
a new Service that would have to wait is refused, too. The Services below are of type LoadBalancer, have one IPv4 address and the port
80, unless the example says otherwise.`;

const STORED_HEAD = `## Rules that the API server checks by itself

These are in the CustomResourceDefinitions, beside the types, bounds and patterns of the fields, and hold also while no
webhook answers.`;

function section({ rule, given, manifest, isDeletion, says }: Example): string {
  const before = given.length > 0 ? `Where there is ${given.map(briefly).join(" and ")}:\n\n` : "";
  const what = isDeletion
    ? `    kubectl delete ${manifest.kind.toLowerCase()} ${manifest.metadata.name} -n ${manifest.metadata.namespace}`
    : fence("yaml", stringify(shown(manifest), { flowCollectionPadding: false }));
  return `#### ${capital(rule)}\n\n${before}${what}\n\n> ${says}`;
}

/** What of a manifest a reader needs to see: of a Service, what is not as in all of them. */
function shown(manifest: Manifest): object {
  const { kind, metadata, spec } = manifest;
  const { annotations, ...names } = metadata;
  const usual = kind === "Service" ? Object.entries(service("", {}).spec) : [];
  const unusual = Object.entries(spec).filter(
    ([key, value]) => !usual.some(([k, v]) => k === key && isDeepStrictEqual(v, value)),
  );
  return {
    kind,
    metadata: { ...names, ...(annotations && size(annotations) > 0 ? { annotations } : {}) },
    ...(unusual.length > 0 ? { spec: Object.fromEntries(unusual) } : {}),
  };
}

function size(object: object): number {
  return Object.keys(object).length;
}

function briefly({ kind, metadata, spec }: Manifest): string {
  const { addresses } = spec as { readonly addresses?: readonly string[] };
  const fields = Object.entries(kind === "Service" || addresses ? {} : spec).map(
    ([key, value]) => `${key}: ${JSON.stringify(value)}`,
  );
  const notes = Object.entries(metadata.annotations ?? {}).map(
    ([key, value]) => `${key}: ${value}`,
  );
  const words = [...(addresses ?? []), ...fields, ...notes].map(text => `\`${text}\``);
  return `${kind} ${metadata.namespace}/${metadata.name} (${words.join(", ")})`;
}

function storedRules(): string {
  const rows = celRules().map(
    ({ kind, version, field, message }) =>
      `| ${kind} ${version} | ${field === "" ? "" : `\`${field}\``} | ${message.replaceAll("|", "\\|")} |`,
  );
  return ["| kind | field | answer |", "| --- | --- | --- |", ...rows].join("\n");
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
