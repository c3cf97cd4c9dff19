/** The command line: reads arguments, runs a command from the table, sets the exit code. */
import { Command, CommanderError } from "commander";
import { commands } from "./commands";

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : JSON.stringify(error);

/** Runs one command line and sets the process's exit code: 0, the command's own, or 1 for an error. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const program = new Command("lab")
    .description("A Kubernetes cluster of network namespaces on this machine.")
    .showHelpAfterError()
    .enablePositionalOptions()
    .exitOverride();
  for (const declare of commands) {
    declare(program);
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
      return;
    }
    process.stderr.write(`lab: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
