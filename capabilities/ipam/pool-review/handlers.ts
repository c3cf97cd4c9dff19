import type { PeprValidateRequest, a } from "pepr";
import type { IPAddressPool } from "../../config/kinds/ip-address-pool";
import { runtime } from "../start";
import { reviewPool } from "./review";
import type { PoolChange } from "./review";

type Request = PeprValidateRequest<a.GenericKind>;
type Answer = ReturnType<Request["Approve"]>;

/** Refuses a pool that has addresses of another one, warns of what else it would do. */
export async function checkPool(req: Request): Promise<Answer> {
  const old = req.OldResource as IPAddressPool | undefined;
  return answer(req, { pool: req.Raw as unknown as IPAddressPool, old: old ?? undefined });
}

/** Pepr puts the object that is deleted into `Raw`. */
export async function checkPoolDeletion(req: Request): Promise<Answer> {
  return answer(req, { pool: undefined, old: req.Raw as unknown as IPAddressPool });
}

async function answer(req: Request, change: PoolChange): Promise<Answer> {
  const { poolReview, admission } = runtime();
  try {
    const verdict = await reviewPool(poolReview, change);
    if (!verdict.allowed) return req.Deny(verdict.message);
    return verdict.warnings.length > 0 ? req.Approve([...verdict.warnings]) : req.Approve();
  } catch (error) {
    admission.log.error({ err: error, uid: req.Request.uid }, "a pool could not be checked");
    return req.Approve(["Ancho could not check this IPAddressPool: the API server did not answer"]);
  }
}
