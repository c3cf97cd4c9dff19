import type { Lab } from "../../hack/lab/lab";

/** What is measured: somebody who answers for addresses on the light nodes of a lab. */
export type Subject = {
  /** One of each family, of one Service; answered for by one node. */
  readonly addresses: readonly [ipv4: string, ipv6: string];
  /** Waits until a node that was away is a member again, so that the next event meets a whole cluster. */
  rejoined(node: string): Promise<unknown>;
  stop(): Promise<void>;
};

/** Brings a subject up on a lab; resolves when both addresses can be asked for. */
export type StartSubject = (lab: Lab, progress: (line: string) => void) => Promise<Subject>;
