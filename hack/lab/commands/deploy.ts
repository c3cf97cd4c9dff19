/** The command that installs Ancho on a lab. */
import type { Command } from "commander";
import { deployAncho } from "../../deploy";
import { openLab } from "../lab";
import { nameOption, printProgress } from "./lifecycle";

type DeployFlags = { readonly name: string; readonly pepr: boolean };

/** `deploy` */
export function declareDeploy(program: Command): void {
  program
    .command("deploy")
    .description("install Ancho as a user does; needs `npm run build` and `npm run image` before")
    .addOption(nameOption())
    .option("--pepr", "bring the control plane by `npx pepr deploy` instead of install.yaml", false)
    .action(async (flags: DeployFlags) => {
      const lab = await openLab(flags.name);
      await deployAncho(lab, flags.pepr ? "pepr" : "manifest", printProgress());
    });
}
