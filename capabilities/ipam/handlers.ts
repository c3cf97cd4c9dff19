import type { PeprMutateRequest, PeprValidateRequest, a } from "pepr";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { IPAddressPoolModel } from "../config/registered-kinds";
import { mutateService } from "./admission";
import { runtime } from "./start";
import { validateService } from "./validation";

type Answer = ReturnType<PeprValidateRequest<a.Service>["Approve"]>;

/** Mutate cannot refuse, so whatever happens here must not fail the request: the reconciler repairs it. */
export async function assignAddress(req: PeprMutateRequest<a.Service>): Promise<void> {
  const { admission } = runtime();
  try {
    await mutateService(admission, req);
  } catch (error) {
    // What was begun is undone; the request itself is as it came, since Pepr works on a copy.
    req.Raw = structuredClone(req.Request.object) as a.Service;
    admission.log.error(
      { err: error, uid: req.Request.uid },
      "no address was assigned at admission",
    );
  }
}

/** Refuses with one sentence what can never work, warns of what has to wait. */
export async function checkService(req: PeprValidateRequest<a.Service>): Promise<Answer> {
  const { admission } = runtime();
  const service = req.Raw;
  const namespace = service.metadata?.namespace ?? req.Request.namespace ?? "default";
  try {
    const old = req.OldResource as a.Service | undefined;
    const verdict = await validateService(admission, { service, old, namespace });
    if (!verdict.allowed) return req.Deny(verdict.message);
    return verdict.warnings.length > 0 ? req.Approve([...verdict.warnings]) : req.Approve();
  } catch (error) {
    admission.log.error({ err: error, uid: req.Request.uid }, "a Service could not be checked");
    return req.Approve(["Ancho could not check this Service: the API server did not answer"]);
  }
}

/** A changed pool may serve Services that wait, or no longer serve some. */
export function noticePool(object: InstanceType<typeof IPAddressPoolModel>): void {
  const pool = object as unknown as IPAddressPool;
  const { namespace = "", name = "" } = pool.metadata;
  runtime().noticePool(`${namespace}/${name}`, pool);
}
