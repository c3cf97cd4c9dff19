import { linuxTcp } from "../../bgp/index";
import type { Transport } from "../../bgp/index";

/** TCP whose segments carry MD5 signatures (RFC 2385), made with this password. */
export function signedTcp(password: string): Transport {
  return {
    ...linuxTcp,
    dial: target => linuxTcp.dial({ ...target, options: { ...target.options, password } }),
  };
}
