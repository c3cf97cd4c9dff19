import { concat, u8 } from "./bytes";
import { Cease, ErrorCode } from "./codes";
import type { WireError } from "./result";

/** Why the connection is closed right after this message (RFC 4271 section 4.5). */
export type Notification = {
  readonly type: "notification";
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
};

/** Total: the framing has made sure of the two octets, and anything may follow them. */
export function decodeNotification(body: Uint8Array): Notification {
  const [code = 0, subcode = 0] = body;
  return { type: "notification", code, subcode, data: body.slice(2) };
}

export function encodeNotification({ code, subcode, data }: Notification): Uint8Array {
  return concat(u8(code), u8(subcode), data);
}

/** What to tell a peer about an error of its own. */
export function notificationOf({ code, subcode, data }: Omit<WireError, "reason">): Notification {
  return { type: "notification", code, subcode, data };
}

/**
 * The same end, but the peer is not to keep our routes as if we came back (RFC 8538 section 3.1).
 * For peers that know graceful restart by NOTIFICATION only.
 */
export function hardReset(notification: Notification): Notification {
  const data = encodeNotification(notification);
  return { type: "notification", code: ErrorCode.Cease, subcode: Cease.HardReset, data };
}

/** What a hard reset is for; any other notification itself (RFC 8538 section 3.1). */
export function withoutHardReset(notification: Notification): Notification {
  const { code, subcode, data } = notification;
  const isHard = code === ErrorCode.Cease && subcode === Cease.HardReset && data.length >= 2;
  return isHard ? decodeNotification(data) : notification;
}

/** Octets of text that a shutdown communication can carry (RFC 9003 section 2). */
const LONGEST_TEXT = 255;

/**
 * A Cease that tells the other side's operator why, in words (RFC 9003). Text that is too long is
 * cut between two characters.
 */
export function shutdownNotification(
  subcode: typeof Cease.AdministrativeShutdown | typeof Cease.AdministrativeReset,
  text: string,
): Notification {
  const room = new Uint8Array(LONGEST_TEXT);
  const { written } = new TextEncoder().encodeInto(text, room);
  const data = written === 0 ? new Uint8Array() : concat(u8(written), room.slice(0, written));
  return { type: "notification", code: ErrorCode.Cease, subcode, data };
}

/**
 * The text of a shutdown communication, fit for a log: control characters, which could forge log
 * lines, are replaced. Undefined if there is none or it is not what RFC 9003 asks for; then the
 * data is for a hex dump.
 */
export function shutdownText({ code, subcode, data }: Notification): string | undefined {
  const mayHaveText =
    code === ErrorCode.Cease &&
    (subcode === Cease.AdministrativeShutdown || subcode === Cease.AdministrativeReset);
  if (!mayHaveText || data.length < 2 || data[0] !== data.length - 1) {
    return undefined;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(1));
    return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\uFFFD");
  } catch {
    return undefined;
  }
}

const codeNames = new Map(Object.entries(ErrorCode).map(([name, code]) => [code as number, name]));
const ceaseNames = new Map(Object.entries(Cease).map(([name, code]) => [code as number, name]));

/** For logs and status, e.g. `Cease/AdministrativeShutdown (6/2): back at noon`. */
export function describeNotification(notification: Notification): string {
  const { code, subcode } = notification;
  const name = codeNames.get(code) ?? "Unknown";
  const detail = code === ErrorCode.Cease ? ceaseNames.get(subcode) : undefined;
  const isHard = code === ErrorCode.Cease && subcode === Cease.HardReset;
  const hasInner = isHard && notification.data.length >= 2 && notification.data[1] !== subcode;
  const text = hasInner
    ? describeNotification(decodeNotification(notification.data))
    : shutdownText(notification);
  const head = detail === undefined ? name : `${name}/${detail}`;
  return `${head} (${code}/${subcode})${text === undefined ? "" : `: ${text}`}`;
}
