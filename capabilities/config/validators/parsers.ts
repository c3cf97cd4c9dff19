import type { Parsed } from "../config-error";
import { parseL2Ad } from "../l2-ad";
import { parsePool } from "../pool";
import { parseBfdProfile, parseBgpAdvertisement, parseBgpPeer, parseCommunity } from "./bgp";

type Parser = (raw: unknown) => Parsed<unknown>;

/** The kinds of MetalLB that users write, and what reads one object of each by itself. */
export const parsers = {
  IPAddressPool: parsePool,
  L2Advertisement: parseL2Ad,
  BGPAdvertisement: parseBgpAdvertisement,
  BGPPeer: parseBgpPeer,
  BFDProfile: parseBfdProfile,
  Community: parseCommunity,
} as const satisfies Readonly<Record<string, Parser>>;

export type ValidatedKind = keyof typeof parsers;
