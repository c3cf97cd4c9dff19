/** The table of the lab's commands. To add one, write a `declare` function and list it here. */
import type { Command } from "commander";
import { declareDeploy } from "./commands/deploy";
import { declareDown, declarePrepare, declareStatus, declareUp } from "./commands/lifecycle";
import {
  declareCut,
  declareExec,
  declareHeal,
  declareKubeconfig,
  declareKubectl,
  declareLoadImage,
  declareLogs,
} from "./commands/use";

/** Adds a command to the program. */
export type DeclareCommand = (program: Command) => void;

/** Every command, in the order in which `--help` shows them. */
export const commands: readonly DeclareCommand[] = [
  declarePrepare,
  declareUp,
  declareDown,
  declareDeploy,
  declareStatus,
  declareExec,
  declareKubectl,
  declareKubeconfig,
  declareLoadImage,
  declareLogs,
  declareCut,
  declareHeal,
];
