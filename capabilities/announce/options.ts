import { parseArgs } from "node:util";
import { DEFAULT_EXCLUDES } from "./layer2/interfaces";
import type { Placement } from "./placement";

/** How the announcer is to run. */
export type Options = {
  readonly nodeName: string;
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly heartbeatPort: number;
  readonly heartbeatIntervalMs: number;
  readonly sysctlRoot: string;
  readonly excludeInterfaces: readonly RegExp[];
  readonly loadBalancerClass?: string;
  readonly ignoreExcludeLabel: boolean;
  /** Running connections are handed over when addresses move. */
  readonly handover: boolean;
  readonly placement: Placement;
  /** Time between two moves that even out the spread, ms; 0: none. */
  readonly rebalanceIntervalMs: number;
  /** How long routes are kept as the last choice before they are taken back on purpose, ms. */
  readonly bgpDrainMs: number;
  /** Questions on the wire before an address is used for the first time. */
  readonly conflictProbes: number;
  readonly conflictProbeIntervalMs: number;
  /** Time between two announcements of an address that stays where it is; 0 for none. */
  readonly refreshIntervalMs: number;
};

/** What the command line asks for. */
export type Command =
  | { readonly do: "run"; readonly options: Options }
  | { readonly do: "help" }
  | { readonly do: "cleanup"; readonly sysctlRoot: string }
  | { readonly do: "fail"; readonly message: string };

type Flag = { readonly env?: string; readonly fallback?: string; readonly help: string };

const FLAGS = {
  "node-name": { env: "NODE_NAME", help: "name of the Node that this runs on (required)" },
  kubeconfig: { env: "KUBECONFIG", help: "cluster to talk to; default: the pod's service account" },
  namespace: {
    env: "METALLB_NAMESPACE",
    fallback: "metallb-system",
    help: "namespace of the metallb.io resources",
  },
  "metrics-address": {
    env: "METRICS_ADDRESS",
    fallback: "0.0.0.0:7473",
    help: "HOST:PORT of /metrics, /healthz and /readyz",
  },
  "heartbeat-port": {
    env: "HEARTBEAT_PORT",
    fallback: "7946",
    help: "UDP port of the heartbeats, the same on all nodes",
  },
  "heartbeat-interval-ms": {
    env: "HEARTBEAT_INTERVAL_MS",
    fallback: "50",
    help: "time between heartbeats, 20 to 10000; after 3 without, and no answer on the wire, a node is dead",
  },
  "conflict-probes": {
    env: "CONFLICT_PROBES",
    fallback: "3",
    help: "questions on the wire, 0 to 10, whether anybody has an address before it is first announced",
  },
  "conflict-probe-interval-ms": {
    env: "CONFLICT_PROBE_INTERVAL_MS",
    fallback: "150",
    help: "time between these questions, and after the last one, 20 to 2000",
  },
  "refresh-interval-s": {
    env: "REFRESH_INTERVAL_S",
    fallback: "120",
    help: "an address that stays where it is is announced again so often, 10 to 3600; 0: never",
  },
  "sysctl-root": {
    env: "SYSCTL_ROOT",
    fallback: "/proc/sys/net",
    help: "where the node's /proc/sys/net is mounted writable",
  },
  "exclude-interfaces": {
    env: "EXCLUDE_INTERFACES",
    fallback: DEFAULT_EXCLUDES.join(","),
    help: "comma list of regular expressions: interfaces that no address is announced on unless an L2Advertisement names them",
  },
  placement: {
    env: "PLACEMENT",
    fallback: "spread",
    help: "spread: addresses stay where they are, new ones go to the node with the fewest; hash: as MetalLB",
  },
  "bgp-drain-ms": {
    env: "BGP_DRAIN_MS",
    fallback: "2000",
    help: "time that BGP routes carry the community GRACEFUL_SHUTDOWN before they are withdrawn on purpose, 0 to 60000",
  },
  "rebalance-interval": {
    env: "REBALANCE_INTERVAL",
    fallback: "0",
    help: "seconds, 0 to 86400: so often one group of addresses moves from a node with many to one with few; 0: never",
  },
  "lb-class": {
    env: "LB_CLASS",
    help: "loadBalancerClass to serve; default: Services without one",
  },
} as const satisfies Record<string, Flag>;

const SWITCHES = {
  "ignore-exclude-lb": {
    env: "IGNORE_EXCLUDE_LB",
    help: "use nodes with the label exclude-from-external-load-balancers too",
  },
  "no-handover": {
    env: "NO_HANDOVER",
    help: "leave running TCP connections alone when an address moves on purpose: they break",
  },
  cleanup: { help: "remove all that the announcer left in the kernel, and exit" },
  help: { help: "print this, and exit" },
} as const;

type FlagName = keyof typeof FLAGS;
type Env = Readonly<Record<string, string | undefined>>;

/** Reads command line and environment; the command line wins. */
export function readCommand(args: readonly string[], env: Env): Command {
  try {
    const { values } = parseArgs({ args: [...args], options: parseOptions(), strict: true });
    if (values["help"]) return { do: "help" };
    if (values["cleanup"]) {
      return { do: "cleanup", sysctlRoot: valueOf("sysctl-root", values, env) ?? "" };
    }
    const ignoreExcludeLabel =
      values["ignore-exclude-lb"] === true || env["IGNORE_EXCLUDE_LB"] === "true";
    const handover = values["no-handover"] !== true && env["NO_HANDOVER"] !== "true";
    const options = readOptions(name => valueOf(name, values, env));
    return { do: "run", options: { ...options, ignoreExcludeLabel, handover } };
  } catch (error) {
    return { do: "fail", message: error instanceof Error ? error.message : String(error) };
  }
}

/** The text of --help. */
export function helpText(): string {
  const lines = Object.entries({ ...FLAGS, ...SWITCHES } as Record<string, Flag>).map(
    ([name, { env, fallback, help }]) => {
      const notes = [env && `env ${env}`, fallback && `default ${fallback}`].filter(Boolean);
      return `  --${name.padEnd(22)} ${help}${notes.length > 0 ? ` [${notes.join("; ")}]` : ""}`;
    },
  );
  return [
    "Ancho's node announcer: answers ARP and NDP for the addresses of Services on this node.",
    "",
    "Usage: announcer --node-name NAME [flags]",
    "",
    ...lines,
    "",
    "Signals: SIGTERM, SIGINT: hand the addresses over to other nodes, then exit.",
    "Exit codes: 0 ended as asked; 1 could not start or go on; 2 wrong flags.",
    "",
  ].join("\n");
}

function parseOptions(): Record<string, { type: "string" | "boolean" }> {
  const flags = Object.keys(FLAGS).map(name => [name, { type: "string" as const }]);
  const switches = Object.keys(SWITCHES).map(name => [name, { type: "boolean" as const }]);
  return Object.fromEntries([...flags, ...switches]) as Record<string, { type: "string" }>;
}

function valueOf(name: FlagName, values: Record<string, unknown>, env: Env): string | undefined {
  const flag: Flag = FLAGS[name];
  const given = values[name];
  const value = typeof given === "string" ? given : flag.env && env[flag.env];
  return value === undefined || value === "" ? flag.fallback : value;
}

function readOptions(
  get: (name: FlagName) => string | undefined,
): Omit<Options, "ignoreExcludeLabel" | "handover"> {
  const nodeName = get("node-name");
  if (nodeName === undefined) {
    throw new Error("--node-name is missing: give the name of the Node that this runs on");
  }
  const kubeconfig = get("kubeconfig");
  const loadBalancerClass = get("lb-class");
  const [metricsHost, metricsPort] = readAddress(get("metrics-address") ?? "");
  return {
    nodeName,
    namespace: get("namespace") ?? "",
    metricsHost,
    metricsPort,
    heartbeatPort: readNumber("heartbeat-port", get("heartbeat-port"), [1, 65535]),
    heartbeatIntervalMs: readNumber(
      "heartbeat-interval-ms",
      get("heartbeat-interval-ms"),
      [20, 10_000],
    ),
    conflictProbes: readNumber("conflict-probes", get("conflict-probes"), [0, 10]),
    conflictProbeIntervalMs: readNumber(
      "conflict-probe-interval-ms",
      get("conflict-probe-interval-ms"),
      [20, 2000],
    ),
    refreshIntervalMs: 1000 * readRefresh(get("refresh-interval-s")),
    sysctlRoot: get("sysctl-root") ?? "",
    excludeInterfaces: readPatterns(get("exclude-interfaces") ?? ""),
    placement: readPlacement(get("placement")),
    rebalanceIntervalMs:
      readNumber("rebalance-interval", get("rebalance-interval"), [0, 86_400]) * 1000,
    bgpDrainMs: readNumber("bgp-drain-ms", get("bgp-drain-ms"), [0, 60_000]),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
  };
}

function readNumber(
  name: FlagName,
  text: string | undefined,
  [min, max]: readonly [number, number],
): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`--${name} is "${text ?? ""}": give a whole number from ${min} to ${max}`);
  }
  return value;
}

function readRefresh(text: string | undefined): number {
  return text === "0" ? 0 : readNumber("refresh-interval-s", text, [10, 3600]);
}

function readAddress(text: string): readonly [string, number] {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`--metrics-address is "${text}": give HOST:PORT, for example 0.0.0.0:7473`);
  }
  return [host === "" ? "::" : host, port];
}

function readPlacement(text: string | undefined): Placement {
  if (text === "spread" || text === "hash") return text;
  throw new Error(`--placement is "${text ?? ""}": give spread or hash`);
}

function readPatterns(text: string): readonly RegExp[] {
  return text
    .split(",")
    .filter(pattern => pattern !== "")
    .map(pattern => {
      try {
        return new RegExp(pattern);
      } catch {
        throw new Error(
          `--exclude-interfaces has "${pattern}", which is no regular expression: correct or remove it`,
        );
      }
    });
}
