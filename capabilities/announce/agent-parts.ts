import type { KubeClient } from "../kube/client";
import type { EventRecorder } from "../kube/events";
import type { Log } from "../kube/log";
import type { Kernel } from "./layer2/netlink";
import type { Metrics } from "./metrics";
import type { Options } from "./options";
import type { PacketSocket } from "./packet/packet-socket";
import type { OwnPod } from "./status/service-status-object";

/** The outside world as the announcer uses it. */
export type AgentParts = {
  readonly options: Options;
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly kernel: Kernel;
  readonly socket: PacketSocket;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly pod?: OwnPod;
};
