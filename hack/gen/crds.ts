import { stringify } from "yaml";
import { buildCrds } from "../../capabilities/config/crd";

/** All CRDs as one YAML stream, for `manifests/crds.yaml`, `install.yaml` and the chart. */
export function crdsYaml(): string {
  const options = { aliasDuplicateObjects: false, lineWidth: 120 };
  const documents = buildCrds().map(crd => `---\n${stringify(crd, options)}`);
  return `# Written by \`npm run gen\` from capabilities/config/kinds; do not edit.\n${documents.join("")}`;
}
