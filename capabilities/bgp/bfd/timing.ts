import type { SessionState } from "./session-types";

/** While a session is not up, packets go out no faster than this (RFC 5880 section 6.8.3), microseconds. */
export const SLOW_TX = 1_000_000;

/** What we say of how often we would like to send. */
export function desiredMinTx({ state, settings }: SessionState): number {
  return state === "Up" ? settings.desiredMinTx : Math.max(SLOW_TX, settings.desiredMinTx);
}

/**
 * Microseconds between our packets before jitter (RFC 5880 section 6.8.7); undefined: there are none. What
 * the peer has not confirmed yet does not make them rarer, or it would miss them.
 */
export function transmitInterval(session: SessionState): number | undefined {
  const { remote, settings, agreed, poll, state } = session;
  const isMute = settings.isPassive && remote.discriminator === 0;
  const isAsked = remote.isDemand && state === "Up" && remote.state === "Up" && poll === "none";
  if (isMute || isAsked || remote.minRx === 0) return undefined;
  const own = state === "Up" ? Math.min(desiredMinTx(session), agreed.desiredMinTx) : SLOW_TX;
  return Math.max(state === "Up" ? own : desiredMinTx(session), remote.minRx);
}

/** Microseconds of silence after which the peer is gone (RFC 5880 section 6.8.4); 0: nothing was heard. */
export function detectionTime({ remote, settings, agreed, state }: SessionState): number {
  const accepted =
    state === "Up"
      ? Math.max(settings.requiredMinRx, agreed.requiredMinRx)
      : settings.requiredMinRx;
  return remote.detectMultiplier * Math.max(accepted, remote.minTx);
}

/** Microseconds between echo packets; undefined: none are to be sent (RFC 5880 section 6.8.9). */
export function echoInterval({ state, settings, remote }: SessionState): number | undefined {
  const isWanted = state === "Up" && settings.echoTx > 0 && remote.minEchoRx > 0;
  return isWanted ? Math.max(settings.echoTx, remote.minEchoRx) : undefined;
}

/**
 * Three quarters of an interval, up to all of it; at most nine tenths where a single lost packet ends the
 * session (RFC 5880 section 6.8.7).
 *
 * @param random - from [0, 1)
 */
export function jitter(interval: number, detectMultiplier: number, random: number): number {
  const span = detectMultiplier === 1 ? 0.15 : 0.25;
  return Math.floor(interval * (0.75 + span * random));
}
