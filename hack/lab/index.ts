/** Entry of `npm run lab -- …`. */
import { runCli } from "./cli";

await runCli(process.argv.slice(2));
