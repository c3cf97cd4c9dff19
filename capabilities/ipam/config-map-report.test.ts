import { describe, expect, it } from "vitest";
import { createConfigMapReport } from "./config-map-report";
import { rawPool } from "./fixtures";

const configMap = (config: string): object => ({
  metadata: { name: "config", namespace: "metallb-system", uid: "u1" },
  data: { config },
});
const GOOD = "address-pools: [{name: one, protocol: layer2, addresses: [10.0.0.0/30]}]";

function setUp(): {
  readonly state: { pools: readonly object[]; configMaps: readonly object[]; leads: boolean };
  readonly check: () => readonly string[];
} {
  const state = {
    pools: [] as readonly object[],
    configMaps: [] as readonly object[],
    leads: true,
  };
  const said: string[] = [];
  const silent = (): void => undefined;
  const report = createConfigMapReport({
    poolStore: { list: () => state.pools },
    configMapStore: { list: () => state.configMaps },
    isLeading: () => state.leads,
    events: {
      emit: (subject, type, reason, message) => {
        said.push(`${type} ${subject.kind} ${subject.uid ?? ""} ${reason} ${message}`);
        return Promise.resolve();
      },
    },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const check = (): readonly string[] => {
    report();
    return said.splice(0);
  };
  return { state, check };
}

describe("the report on the ConfigMap", () => {
  it("says nothing where there is none, and nothing of one that is right", () => {
    const { state, check } = setUp();
    state.pools = [rawPool("wrong", ["x"])];
    expect(check()).toEqual([]);
    state.configMaps = [configMap(GOOD)];
    expect(check()).toEqual([]);
  });

  it("says once what is wrong, and again when it comes back", () => {
    const { state, check } = setUp();
    state.configMaps = [configMap("pools: []")];
    expect(check()).toEqual([
      expect.stringMatching(
        /^Warning ConfigMap u1 ConfigurationError ConfigMap metallb-system\/config: pools \[\] is not a field/,
      ),
    ]);
    expect(check()).toEqual([]);
    state.configMaps = [configMap(GOOD)];
    expect(check()).toEqual([]);
    state.configMaps = [configMap("pools: []")];
    expect(check()).toHaveLength(1);
  });

  it("says what resources have taken the place of, and which of its pools overlap theirs", () => {
    const { state, check } = setUp();
    state.configMaps = [configMap(GOOD)];
    state.pools = [rawPool("one", ["10.0.0.0/30"])];
    expect(check()).toEqual([expect.stringContaining("ConfigurationReplaced")]);
    state.pools = [rawPool("other", ["10.0.0.0/24"])];
    expect(check()).toEqual([
      expect.stringContaining("overlaps 10.0.0.0/24 of IPAddressPool other"),
    ]);
  });

  it("is silent in a watcher that does not lead, and says all when it begins to", () => {
    const { state, check } = setUp();
    state.leads = false;
    state.configMaps = [configMap("pools: []")];
    expect(check()).toEqual([]);
    state.leads = true;
    expect(check()).toHaveLength(1);
  });
});
