import type { Report } from "../report";
import { benchAllocator } from "./allocator";
import { benchCreates } from "./creates";

/** Addresses: the pure allocator, then Services created on the lab, beside no webhook and beside MetalLB. */
export async function benchIpam(): Promise<Report> {
  return { bench: "ipam", aims: [...benchAllocator(), ...(await benchCreates())] };
}
