import {
  configurationStateLabels,
  configurationStateName,
  configurationStatus,
} from "../../config/configuration-state";
import { configurationStateResource } from "../../config/kinds/configuration-state";
import type { ConfigurationState } from "../../config/kinds/configuration-state";
import type { ResourceKind } from "../../kube/resource";
import { keepStatusObject } from "../../kube/status-object";
import type { StatusObject } from "../../kube/status-object";
import type { AgentParts } from "../agent-parts";

const states: ResourceKind<ConfigurationState> = configurationStateResource;

/**
 * Says in the ConfigurationState of this node whether its announcer can use the configuration. `errors` are those of
 * the last reading; undefined before the first. The object goes with the pod that wrote it.
 */
export function speakerState(
  { client, options, pod, log }: Pick<AgentParts, "client" | "options" | "pod" | "log">,
  errors: () => readonly string[] | undefined,
): StatusObject {
  const component = { type: "speaker", node: options.nodeName } as const;
  const name = configurationStateName(component);
  const { namespace } = options;
  const owner = pod && { apiVersion: "v1", kind: "Pod", name: pod.name, uid: pod.uid };
  return keepStatusObject(states, {
    ...{ client, namespace, name, log },
    object: () =>
      errors() && {
        metadata: {
          ...{ name, namespace, labels: { ...configurationStateLabels(component) } },
          ...(owner ? { ownerReferences: [owner] } : {}),
        },
      },
    status: present =>
      configurationStatus(component, errors() ?? [], {
        present: present?.status,
        now: new Date(),
      }),
  });
}
