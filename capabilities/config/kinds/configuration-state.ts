import * as z from "zod";
import { conditions } from "./condition";
import { objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps ConfigurationStates. */
export const configurationStateResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "ConfigurationState",
  plural: "configurationstates",
  namespaced: true,
} as const satisfies Resource;

/** Whether a component could use the configuration it found. */
export const configurationStateSchema = z
  .object({
    ...objectFields,
    status: z
      .object({
        result: z.enum(["Valid", "Invalid", "Unknown"]).exactOptional().meta({
          description: "Whether all of the configuration is valid; Unknown until it was read.",
        }),
        errorSummary: z.string().exactOptional().meta({
          description: "What is wrong with the configuration, one error per line.",
        }),
        conditions,
      })
      .exactOptional()
      .meta({ description: "What the component found." }),
  })
  .meta({
    description:
      "Whether one component (the controller, or the announcer of one node) could use the configuration it found.",
  });

export type ConfigurationState = z.infer<typeof configurationStateSchema>;
