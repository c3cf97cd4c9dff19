/** A resource as a user writes it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
};

/** Where the resources of `metallb.io` are. */
export const CONFIG_NAMESPACE = "metallb-system";

/** A resource of `metallb.io` with this spec. */
export function resource(kind: string, name: string, spec: object): Manifest {
  const version = kind === "BGPPeer" ? "v1beta2" : "v1beta1";
  const metadata = { name, namespace: CONFIG_NAMESPACE };
  return { apiVersion: `metallb.io/${version}`, kind, metadata, spec };
}

/** A pool that only who names it draws from, so that examples leave other Services alone. */
export function pool(name: string, addresses: readonly string[], spec: object = {}): Manifest {
  return resource("IPAddressPool", name, { addresses, autoAssign: false, ...spec });
}

/** The same resource with annotations. */
export function annotated(manifest: Manifest, annotations: Record<string, string>): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

type ServiceParts = {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
};

/** A Service of type LoadBalancer in namespace default, with one port and one family. */
export function service(name: string, { annotations = {}, spec = {} }: ServiceParts): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", annotations },
    spec: {
      type: "LoadBalancer",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP" }],
      ...spec,
    },
  };
}
