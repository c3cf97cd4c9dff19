import { AT_ONCE, frozen, killed, upgraded } from "./events/announcer";
import { BROKEN, excluded, preferred } from "./events/moves";
import { SILENT_HALVES, UNTIL_ONE, filtered, partitioned } from "./events/network";
import { powerCut, powerCutWithoutApi } from "./events/power";
import { UNTIL_REPORTED, stranger } from "./events/stranger";
import { ANNOUNCED_AFTER, LOST, thousand } from "./events/thousand";
import { MOVES, hogged, lossy } from "./events/soak";
import type { Event } from "./trial";

export type SubjectName = "ancho" | "keepalived" | "metallb";

/** A case of the bench: an event, who is measured by it, and what is aimed for. */
export type Case = {
  readonly title: string;
  readonly event: Event;
  readonly subjects: readonly SubjectName[];
  /** Judged by the outage, as a power cut is, or by failed connections, of which there shall be none. */
  readonly judgedBy?: "outage" | "failures";
  /** The greatest value that each of the event's figures may have. */
  readonly limits?: Readonly<Record<string, number>>;
  /** It lasts long and is run once. */
  readonly isSoak?: boolean;
  /** On fewer nodes it is left out. */
  readonly minNodes?: number;
};

export const CASES: Readonly<Record<string, Case>> = {
  "power-cut": {
    title: "power cut of the owner",
    event: powerCut,
    subjects: ["ancho", "keepalived", "metallb"],
    judgedBy: "outage",
  },
  "power-cut-no-api": {
    title: "power cut of the owner without an API server",
    event: powerCutWithoutApi,
    subjects: ["ancho"],
    judgedBy: "outage",
  },
  killed: {
    title: "announcer of the owner killed and started again",
    event: killed,
    subjects: ["ancho"],
    judgedBy: "failures",
  },
  upgraded: {
    title: "announcers ended and started again, every node in turn",
    event: upgraded,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [BROKEN]: 0 },
  },
  excluded: {
    title: "owner excluded by label",
    event: excluded,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [BROKEN]: 0 },
  },
  preferred: {
    title: "another node preferred",
    event: preferred,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [BROKEN]: 0 },
  },
  frozen: {
    title: "all processes of the owner stopped for 10 s",
    event: frozen,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [AT_ONCE]: 1 },
  },
  filtered: {
    title: "heartbeats of the owner filtered both ways",
    event: filtered,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [AT_ONCE]: 1 },
  },
  partitioned: {
    title: "LAN in two halves for 10 s",
    event: partitioned,
    subjects: ["ancho"],
    limits: { [SILENT_HALVES]: 0, [UNTIL_ONE]: 1000 },
  },
  stranger: {
    title: "a host outside the cluster takes the address",
    event: stranger,
    subjects: ["ancho"],
    limits: { [UNTIL_REPORTED]: 1000 },
  },
  thousand: {
    title: "power cut of one owner of 1,000 addresses",
    event: thousand,
    subjects: ["ancho"],
    limits: { [ANNOUNCED_AFTER]: 1000, [LOST]: 0 },
    minNodes: 10,
  },
  lossy: {
    title: "heartbeats lost one way, then 5 % and 20 % of all",
    event: lossy,
    subjects: ["ancho"],
    judgedBy: "failures",
    limits: { [MOVES]: 0 },
    isSoak: true,
  },
  hogged: {
    title: "a CPU hog per core",
    event: hogged,
    subjects: ["ancho"],
    limits: { [MOVES]: 0 },
    isSoak: true,
  },
};
