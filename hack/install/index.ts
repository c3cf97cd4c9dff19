import { readFile, writeFile } from "node:fs/promises";
import { parseAllDocuments, stringify } from "yaml";
import { crdsYaml } from "../gen/crds";
import { anchoImage, inRepo } from "../repo";
import { announcerObjects } from "./announcer";
import { controlPlaneObjects } from "./control-plane";
import type { Manifest } from "./manifest";
import { inApplyOrder } from "./manifest";
import { peprStoreCrd } from "./pepr-store";

/**
 * Write the manifests that users apply, from what `pepr build` left in dist/ and our own sources:
 * install.yaml (everything), and its parts for those who let `npx pepr deploy` bring the control
 * plane: crds.yaml and announcer.yaml.
 */
export async function writeInstallManifest(): Promise<void> {
  const module = parseAll(await readFile(inRepo("dist/pepr-module-ancho.yaml"), "utf8"));
  const crds = [...parseAll(crdsYaml()), peprStoreCrd];
  const announcer = announcerObjects(anchoImage);
  const everything = [...crds, ...controlPlaneObjects(module, anchoImage), ...announcer];
  await writeManifest("dist/crds.yaml", crds);
  await writeManifest("dist/announcer.yaml", announcer);
  await writeManifest("dist/install.yaml", everything);
}

function parseAll(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map(document => document.toJS() as Manifest | null)
    .filter(object => object !== null);
}

async function writeManifest(path: string, objects: readonly Manifest[]): Promise<void> {
  const documents = inApplyOrder(objects).map(object => stringify(object, { lineWidth: 0 }));
  await writeFile(inRepo(path), documents.join("---\n"));
}
