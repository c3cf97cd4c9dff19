/** What the environment says about this installation. */
export type Settings = {
  /** Where the metallb.io objects are. */
  readonly namespace: string;
  /** Serve Services of this loadBalancerClass only; unset: those without a class. */
  readonly lbClass: string | undefined;
  /** Whether this process reconciles (Pepr's watcher) or only answers admission requests. */
  readonly isWatcher: boolean;
};

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return {
    namespace: env["METALLB_NAMESPACE"] ?? "metallb-system",
    lbClass: env["ANCHO_LOAD_BALANCER_CLASS"] || undefined,
    isWatcher: env["PEPR_WATCH_MODE"] === "true" || env["PEPR_MODE"] === "dev",
  };
}
