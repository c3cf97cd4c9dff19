import { isDeepStrictEqual } from "node:util";
import type { kind } from "kubernetes-fluent-client";
import { serviceFacts, serviceKeyOf } from "./facts";
import type { ServiceFacts } from "./facts";

/** What the plan needs to know of all Services; each is read anew only when it or its endpoints have changed. */
export type ServiceIndex = {
  /** Takes in a Service as it is now, or that it is gone; true if the plan depends on what has changed. */
  takeService(key: string, service: kind.Service | undefined): boolean;
  /** The same for an EndpointSlice. */
  takeSlice(key: string, slice: kind.EndpointSlice | undefined): boolean;
  /** The same list for as long as nothing of it changes. */
  list(): readonly ServiceFacts[];
};

/** @param loadBalancerClass the class to serve; undefined: Services without a class */
export function createServiceIndex(loadBalancerClass: string | undefined): ServiceIndex {
  const services = new Map<string, kind.Service>();
  const slices = new Map<string, Map<string, kind.EndpointSlice>>();
  const serviceOf = new Map<string, string>();
  const known = new Map<string, ServiceFacts>();
  let list: readonly ServiceFacts[] | undefined;

  function refresh(key: string): boolean {
    const service = services.get(key);
    const endpoints = [...(slices.get(key)?.values() ?? [])];
    const facts = service && serviceFacts(service, endpoints, loadBalancerClass);
    if (isDeepStrictEqual(known.get(key), facts)) return false;
    if (facts) known.set(key, facts);
    else known.delete(key);
    list = undefined;
    return true;
  }

  function dropSlice(key: string): string | undefined {
    const service = serviceOf.get(key);
    if (service === undefined) return undefined;
    serviceOf.delete(key);
    const rest = slices.get(service);
    rest?.delete(key);
    if (rest?.size === 0) slices.delete(service);
    return service;
  }

  function addSlice(key: string, slice: kind.EndpointSlice | undefined): string | undefined {
    if (!slice) return undefined;
    const service = serviceKeyOf(slice);
    if (service === undefined) return undefined;
    serviceOf.set(key, service);
    const own = slices.get(service) ?? new Map<string, kind.EndpointSlice>();
    slices.set(service, own.set(key, slice));
    return service;
  }

  return {
    takeService: (key, service) => {
      if (service) services.set(key, service);
      else services.delete(key);
      return refresh(key);
    },
    takeSlice: (key, slice) => {
      const touched = new Set([dropSlice(key), addSlice(key, slice)]);
      return [...touched].map(one => one !== undefined && refresh(one)).some(Boolean);
    },
    list: () => (list ??= [...known.values()]),
  };
}
