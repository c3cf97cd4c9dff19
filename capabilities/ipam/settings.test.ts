import { describe, expect, it } from "vitest";
import { readSettings } from "./settings";

describe("readSettings", () => {
  it("serves Services without a class and pools of metallb-system, as MetalLB does", () => {
    expect(readSettings({})).toEqual({
      namespace: "metallb-system",
      lbClass: undefined,
      rejectsWaiting: false,
      isWatcher: false,
      metricsPort: 7472,
    });
  });

  it("takes what the environment says", () => {
    const env = {
      METALLB_NAMESPACE: "lb",
      ANCHO_LOAD_BALANCER_CLASS: "ancho.dev/vip",
      ANCHO_REJECT_WAITING: "true",
      PEPR_WATCH_MODE: "true",
      METRICS_PORT: "9120",
    };
    expect(readSettings(env)).toEqual({
      namespace: "lb",
      lbClass: "ancho.dev/vip",
      rejectsWaiting: true,
      isWatcher: true,
      metricsPort: 9120,
    });
  });

  it.each(["", "http", "0", "65536", "-1", "74.72"])("refuses the port %j", text => {
    expect(() => readSettings({ METRICS_PORT: text })).toThrow(
      `METRICS_PORT is "${text}": give a port`,
    );
  });

  it("refuses a switch that is neither on nor off", () => {
    expect(() => readSettings({ ANCHO_REJECT_WAITING: "yes" })).toThrow(
      'ANCHO_REJECT_WAITING is "yes": give true or false',
    );
  });
});
