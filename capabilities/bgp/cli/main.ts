#!/usr/bin/env -S node --single-threaded-gc --import tsx
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { parseConfig } from "./config";
import { speak } from "./speak";

const program = new Command("bgp-ts").description("A BGP speaker.");

program
  .command("speak")
  .description(
    "Announces what a file says, and prints what happens, an object of JSON on each line. SIGTERM and SIGINT end it and take all routes back; SIGHUP ends it so that routers keep them until it is there again.",
  )
  .requiredOption("--config <file>", "YAML or JSON, see capabilities/bgp/README.md")
  .action(async ({ config: file }: { readonly config: string }) => {
    try {
      const config = parseConfig(await readFile(file, "utf8"));
      const speaking = await speak(config, event => {
        console.log(JSON.stringify({ time: new Date().toISOString(), ...event }));
      });
      const end = (signal: string): void => {
        const how = { reason: `ended by ${signal}`, isRestart: signal === "SIGHUP" };
        void speaking.stop(how).then(() => process.exit(0));
      };
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, end);
    } catch (error) {
      console.error(`bgp-ts: ${file}:\n${(error as Error).message}`);
      process.exitCode = 2;
    }
  });

await program.parseAsync();
