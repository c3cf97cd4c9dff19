import { PeprModule } from "pepr";
import cfg from "./package.json";
import { configCapability } from "./capabilities/config/capability";
import { ipamCapability } from "./capabilities/ipam/index";
import { startIpam } from "./capabilities/ipam/start";

const capabilities = [configCapability, ipamCapability];

/** Admission answers and watches begin only after the caches have been filled. */
async function main(): Promise<void> {
  await startIpam();
  new PeprModule(cfg, capabilities, { deferStart: true }).start(
    Number(process.env["PEPR_PORT"] ?? 3000),
  );
}

if (process.env["PEPR_MODE"] === "build") {
  new PeprModule(cfg, capabilities, { deferStart: true });
} else {
  main().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
