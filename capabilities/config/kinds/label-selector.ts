import * as z from "zod";
import { SELECTOR_OPERATORS } from "../selector";

const requirement = z
  .object({
    key: z.string().meta({ description: "The label's key." }),
    operator: z.enum(SELECTOR_OPERATORS).meta({
      description:
        "How the label's value relates to the values: In and NotIn need values, Exists and DoesNotExist take none. NotIn also holds for an object without the label.",
    }),
    values: z.array(z.string()).exactOptional().meta({
      description: "The values that In and NotIn compare with; none of them twice.",
      "x-kubernetes-list-type": "atomic",
    }),
  })
  .meta({ description: "A condition on one label." });

/** A metav1.LabelSelector, as it is in every kind. */
export const labelSelector = z
  .object({
    matchLabels: z.record(z.string(), z.string()).exactOptional().meta({
      description: "Labels that the object must have, with exactly these values.",
    }),
    matchExpressions: z.array(requirement).exactOptional().meta({
      description: "Conditions on labels, all of which must hold.",
      "x-kubernetes-list-type": "atomic",
    }),
  })
  .meta({
    description:
      "A query over labels. All conditions of matchLabels and matchExpressions must hold; an empty selector matches every object.",
    "x-kubernetes-map-type": "atomic",
  });

/** A list of selectors, which is an OR: the description says what it selects. */
// eslint-disable-next-line @typescript-eslint/explicit-function-return-type -- the type is zod's to infer
export function selectorList(description: string) {
  return z.array(labelSelector).exactOptional().meta({ description });
}
