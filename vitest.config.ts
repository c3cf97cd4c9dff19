import { defineConfig } from "vitest/config";

const ignored = ["**/node_modules/**", "dist/**", ".cache/**"];

/**
 * unit: pure, parallel, seconds. interop: real kernels in network namespaces and real routers.
 * e2e: Ancho deployed as pods on the lab; one lab for all files, so they run one after another.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...ignored, "**/*.interop.test.ts", "e2e/**"],
          // Long for a test of milliseconds: histories of thousands of steps on a busy machine.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "interop",
          include: ["**/*.interop.test.ts"],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          exclude: ignored,
          globalSetup: ["e2e/global-setup.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 600_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["capabilities/**/*.ts", "hack/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reportsDirectory: "coverage",
    },
  },
});
