import { DEVICE, proxyKey } from "./kernel-state";
import type { DesiredState, KernelOp, KernelState, Link } from "./kernel-state";

/**
 * The changes that turn what the kernel holds into what it is to hold, in an order that never answers for an
 * address that could not be delivered: device, routes, then entries; and the other way when removing.
 * Empty when all is as it should be.
 */
export function diffKernel(desired: DesiredState, actual: KernelState): readonly KernelOp[] {
  const wantedProxies = new Map(desired.proxies.map(entry => [proxyKey(entry), entry]));
  const wantedRoutes = new Set(desired.proxies.map(({ address }) => address));
  const proxies = new Set(actual.proxies.map(proxyKey));
  const routes = new Set(actual.routes);
  const device = actual.links.find(({ name }) => name === DEVICE);
  return [
    ...deviceOps(device, wantedRoutes.size > 0),
    ...[...wantedRoutes]
      .filter(address => !routes.has(address))
      .map(address => ({ op: "add-route", address }) as const),
    ...[...wantedProxies]
      .filter(([key]) => !proxies.has(key))
      .map(([, entry]) => ({ op: "add-proxy", ...entry }) as const),
    ...actual.proxies
      .filter(entry => !wantedProxies.has(proxyKey(entry)))
      .map(entry => ({ op: "remove-proxy", ...entry }) as const),
    ...actual.routes
      .filter(address => !wantedRoutes.has(address))
      .map(address => ({ op: "remove-route", address }) as const),
    ...(device && wantedRoutes.size === 0
      ? [{ op: "remove-device", index: device.index } as const]
      : []),
  ];
}

function deviceOps(device: Link | undefined, isWanted: boolean): readonly KernelOp[] {
  if (!isWanted) return [];
  if (!device) return [{ op: "add-device" }];
  // Down, its routes are gone; with ARP, the kernel would ask for the address on a link without hosts.
  return device.up && device.noArp ? [] : [{ op: "set-device-flags", index: device.index }];
}
