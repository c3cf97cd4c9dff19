import { describe, expect, it } from "vitest";
import { helpText, readCommand } from "./options";
import type { Options } from "./options";

function options(args: readonly string[], env: Record<string, string> = {}): Options {
  const command = readCommand(args, env);
  if (command.do !== "run") throw new Error(JSON.stringify(command));
  return command.options;
}

describe("readCommand", () => {
  it("hands connections over unless it is told not to", () => {
    expect(options(["--node-name=n1"], {})).toMatchObject({ handover: true });
    expect(options(["--node-name=n1", "--no-handover"], {})).toMatchObject({ handover: false });
    expect(options(["--node-name=n1"], { NO_HANDOVER: "true" })).toMatchObject({ handover: false });
  });

  it("needs nothing but the node's name", () => {
    expect(options(["--node-name", "n1"])).toMatchObject({
      nodeName: "n1",
      namespace: "metallb-system",
      metricsHost: "0.0.0.0",
      metricsPort: 7473,
      heartbeatPort: 7946,
      heartbeatIntervalMs: 50,
      rebalanceIntervalMs: 0,
      placement: "spread",
      sysctlRoot: "/proc/sys/net",
      ignoreExcludeLabel: false,
    });
    expect(options(["--node-name", "n1"])).not.toHaveProperty("kubeconfig");
  });

  it("takes the environment, and the command line over it", () => {
    const env = { NODE_NAME: "n1", METALLB_NAMESPACE: "lb", HEARTBEAT_PORT: "7000", LB_CLASS: "x" };
    const read = options(["--heartbeat-port=7001", "--ignore-exclude-lb"], env);
    expect(read).toMatchObject({
      nodeName: "n1",
      namespace: "lb",
      heartbeatPort: 7001,
      loadBalancerClass: "x",
      ignoreExcludeLabel: true,
    });
  });

  it("reads IPv6 metrics addresses", () => {
    const read = options(["--node-name=n1", "--metrics-address=[::1]:9000"]);
    expect(read).toMatchObject({ metricsHost: "::1", metricsPort: 9000 });
    expect(options(["--node-name=n1", "--metrics-address=:9000"]).metricsHost).toBe("::");
  });

  it.each([
    [[], "--node-name is missing"],
    [["--node-name=n1", "--heartbeat-port=0"], '--heartbeat-port is "0"'],
    [["--node-name=n1", "--heartbeat-interval-ms=soon"], "from 20 to 10000"],
    [["--node-name=n1", "--placement=random"], "give spread or hash"],
    [["--node-name=n1", "--metrics-address=7473"], "give HOST:PORT"],
    [["--node-name=n1", "--exclude-interfaces=("], "no regular expression"],
    [["--node-nam=n1"], "--node-nam"],
  ])("says what is wrong with %j", (args, message) => {
    const command = readCommand(args, {});
    expect(command.do === "fail" && command.message).toContain(message);
  });

  it("--help and --cleanup need nothing else, and help names every flag", () => {
    expect(readCommand(["--help"], {}).do).toBe("help");
    expect(readCommand(["--cleanup"], {}).do).toBe("cleanup");
    const text = helpText();
    for (const flag of ["--node-name", "--lb-class", "--ignore-exclude-lb", "--cleanup"]) {
      expect(text).toContain(flag);
    }
  });
});
