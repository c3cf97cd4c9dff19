import { describe, expect, it } from "vitest";
import {
  configurationStateLabels,
  configurationStateName,
  configurationStatus,
} from "./configuration-state";
import { configurationStateSchema } from "./kinds/configuration-state";

const CONTROLLER = { type: "controller" } as const;
const SPEAKER = { type: "speaker", node: "n1" } as const;
const at = (seconds: number): Date => new Date(seconds * 1000);

describe("the ConfigurationState of a component", () => {
  it("metallb 157: has MetalLB's name and labels", () => {
    expect(configurationStateName(CONTROLLER)).toBe("controller");
    expect(configurationStateName(SPEAKER)).toBe("speaker-n1");
    expect(configurationStateLabels(CONTROLLER)).toEqual({
      "metallb.io/component-type": "controller",
    });
    expect(configurationStateLabels(SPEAKER)).toEqual({
      "metallb.io/component-type": "speaker",
      "metallb.io/node-name": "n1",
    });
  });

  it("metallb 157: is Valid without errors", () => {
    expect(configurationStatus(SPEAKER, [], { present: undefined, now: at(0) })).toEqual({
      result: "Valid",
      errorSummary: "",
      conditions: [
        {
          type: "configReconcilerValid",
          status: "True",
          reason: "Reconciled",
          message: "",
          lastTransitionTime: at(0).toISOString(),
        },
      ],
    });
  });

  it("metallb 157: is Invalid with the errors, one per line", () => {
    const status = configurationStatus(CONTROLLER, ["a.", "b."], {
      present: undefined,
      now: at(0),
    });
    expect(status).toMatchObject({ result: "Invalid", errorSummary: "a.\nb." });
    expect(status.conditions).toMatchObject([
      { type: "poolReconcilerValid", status: "False", reason: "ConfigurationError" },
    ]);
  });

  it("keeps the time of a condition until its status changes", () => {
    const first = configurationStatus(SPEAKER, ["a."], { present: undefined, now: at(0) });
    const other = configurationStatus(SPEAKER, ["b."], { present: first, now: at(1) });
    expect(other.conditions?.[0]?.lastTransitionTime).toBe(at(0).toISOString());
    const mended = configurationStatus(SPEAKER, [], { present: other, now: at(2) });
    expect(mended.conditions?.[0]?.lastTransitionTime).toBe(at(2).toISOString());
  });

  it("fits its schema, however much is wrong", () => {
    const errors = Array.from({ length: 2000 }, (_, i) => `IPAddressPool metallb-system/p${i}: x.`);
    const status = configurationStatus(SPEAKER, errors, { present: undefined, now: at(0) });
    expect(configurationStateSchema.safeParse({ status }).success).toBe(true);
    expect(status.errorSummary?.split("\n")).toHaveLength(2000);
  });
});
