import { describe, expect, it } from "vitest";
import { serviceRanges } from "./apiserver";
import { cniConfig } from "./containerd";
import { parsePodHost, taskPid } from "./hosts";
import { kubeProxyConfig } from "./kube-proxy";
import { missingPackages } from "./packages";
import { planNodes } from "./plan";
import { readyNodes } from "./up";

const [node] = planNodes({ nodes: 1, lightNodes: 0 });

describe("packages", () => {
  it("counts as missing what was removed or never there", () => {
    const listing = "socat installed\nruncx installed\nconntrack config-files\n";
    expect(missingPackages(["socat", "runc", "conntrack"], listing)).toEqual(["runc", "conntrack"]);
  });
});

describe("hosts", () => {
  it("knows pods by three words", () => {
    expect(parsePodHost("pod/default/web-0")).toEqual({ namespace: "default", name: "web-0" });
    for (const host of ["n1", "pod", "pod/default", "pod//x", "pod/a/b/c", "client"]) {
      expect(parsePodHost(host)).toBeUndefined();
    }
  });

  it("finds the running task of a sandbox, not one that has stopped", () => {
    const table = "TASK  PID   STATUS\nold   10    STOPPED\nnew   20    RUNNING\nx  30  RUNNING\n";
    expect(taskPid(table, ["old", "new"])).toBe("20");
    expect(taskPid(table, ["old"])).toBeUndefined();
  });
});

describe("readyNodes", () => {
  const ready = [{ type: "Ready", status: "True" }];

  it("leaves out nodes that are not Ready or still tainted as such", () => {
    const list = {
      items: [
        { metadata: { name: "a" }, spec: {}, status: { conditions: ready } },
        { metadata: { name: "b" }, spec: {}, status: {} },
        {
          metadata: { name: "c" },
          spec: { taints: [{ key: "node.kubernetes.io/not-ready" }] },
          status: { conditions: ready },
        },
        {
          metadata: { name: "d" },
          spec: { taints: [{ key: "ancho.dev/light" }] },
          status: { conditions: ready },
        },
      ],
    };
    expect(readyNodes(list)).toEqual(["a", "d"]);
  });
});

describe("one family or two", () => {
  it("holds for Services, pods and kube-proxy alike", () => {
    const proxy = { node: node!, mode: "nftables", kubeconfig: "k" } as const;
    expect(serviceRanges(true).split(",")).toHaveLength(2);
    expect(serviceRanges(false)).toBe("10.96.0.0/16");
    expect(cniConfig(node!, true)).toContain("fd00:244:1::/64");
    expect(cniConfig(node!, false)).not.toContain("fd00");
    expect(kubeProxyConfig({ ...proxy, dualStack: true })).toContain("fd00:244::/32");
    expect(kubeProxyConfig({ ...proxy, dualStack: false })).not.toContain("fd00");
  });
});
