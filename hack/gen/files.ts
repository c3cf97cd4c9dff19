import { admissionMarkdown } from "./admission";
import { compatibilityMarkdown } from "./compatibility";
import { bgpAssertionsMarkdown } from "./compatibility/bgp";
import { crdsYaml } from "./crds";

/** Every file that is derived from another source: its path in the checkout, and how to make it. */
export const generated: Readonly<Record<string, () => string>> = {
  "manifests/crds.yaml": crdsYaml,
  "docs/admission.md": admissionMarkdown,
  "docs/compatibility.md": compatibilityMarkdown,
  "docs/bgp-assertions.md": bgpAssertionsMarkdown,
};
