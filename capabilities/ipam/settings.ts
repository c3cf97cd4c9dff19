/** What the environment says about this installation. */
export type Settings = {
  /** Where the metallb.io objects are. */
  readonly namespace: string;
  /** Serve Services of this loadBalancerClass only; unset: those without a class. */
  readonly lbClass: string | undefined;
  /** Refuse a new Service that there is no address for, instead of letting it wait with a warning. */
  readonly rejectsWaiting: boolean;
  /** Whether this process reconciles (Pepr's watcher) or only answers admission requests. */
  readonly isWatcher: boolean;
  /** Port of the watcher's /metrics, on all addresses. */
  readonly metricsPort: number;
};

const METRICS_PORT = 7472;

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return {
    namespace: env["METALLB_NAMESPACE"] ?? "metallb-system",
    lbClass: env["ANCHO_LOAD_BALANCER_CLASS"] || undefined,
    rejectsWaiting: readSwitch("ANCHO_REJECT_WAITING", env["ANCHO_REJECT_WAITING"] ?? "false"),
    isWatcher: env["PEPR_WATCH_MODE"] === "true" || env["PEPR_MODE"] === "dev",
    metricsPort: readPort(env["METRICS_PORT"] ?? String(METRICS_PORT)),
  };
}

function readSwitch(name: string, text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new Error(`${name} is "${text}": give true or false`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port;
  throw new Error(
    `METRICS_PORT is "${text}": give a port, 1 to 65535, for example ${METRICS_PORT}`,
  );
}
