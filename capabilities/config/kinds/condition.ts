import * as z from "zod";

/** A metav1.Condition, with the bounds that Kubernetes gives it. */
const condition = z
  .object({
    type: z
      .string()
      .max(316)
      .regex(
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
      )
      .meta({ description: "What the condition is about, in CamelCase." }),
    status: z.enum(["True", "False", "Unknown"]).meta({ description: "Whether it holds." }),
    observedGeneration: z
      .int()
      .min(0)
      .exactOptional()
      .meta({ description: "The metadata.generation it was found for.", format: "int64" }),
    lastTransitionTime: z
      .string()
      .meta({ description: "When the status last changed.", format: "date-time" }),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .meta({ description: "Why, as one word for programs." }),
    message: z.string().max(32768).meta({ description: "Why, as a sentence for people." }),
  })
  .meta({ description: "One aspect of the object's state." });

/** The conditions of an object, at most one per type. */
export const conditions = z
  .array(condition)
  .exactOptional()
  .meta({
    description: "The state of the object, one condition per aspect.",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
  });
