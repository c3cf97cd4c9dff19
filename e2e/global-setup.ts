import type { TestProject } from "vitest/node";
import { deployAncho } from "../hack/deploy";
import { downLab, upLab } from "../hack/lab/lab";

declare module "vitest" {
  // Vitest collects what a set-up provides by merging into this interface.
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions
  export interface ProvidedContext {
    labName: string;
  }
}

const labName = "e2e";

/** One lab of three real nodes, with Ancho installed by kubectl, for all the e2e files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = (line: string): void => {
    console.log(`lab: ${line}`);
  };
  await downLab(labName);
  try {
    const lab = await upLab({ name: labName, nodes: 3 }, progress);
    await deployAncho(lab, "manifest", progress);
  } catch (error) {
    await downLab(labName);
    throw error;
  }
  project.provide("labName", labName);
  return async () => {
    await downLab(labName);
  };
}
