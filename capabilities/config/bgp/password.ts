import type { Finding } from "../selector-rules";

/** A Secret as the API has it. */
type Secret = {
  readonly metadata?: { readonly name?: string };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
};

/** What a BGPPeer says of its password. */
type Wish = {
  readonly password?: string | undefined;
  readonly passwordSecret?: { readonly name?: string | undefined } | undefined;
};

/** The Role by which announcers read these Secrets; whoever installs us brings it without rules. */
export const BGP_SECRETS_ROLE = "ancho-bgp-secrets";

const TYPE = "kubernetes.io/basic-auth";
const KEY = "password";
/** TCP_MD5SIG_MAXKEYLEN of linux/tcp.h. */
const MOST_BYTES = 80;

/** The password of a session, undefined for one that has none, or what keeps it from being known. */
export function passwordOf(
  wish: Wish,
  secrets: readonly unknown[],
): { readonly password: string | undefined } | { readonly finding: Finding } {
  const name = wish.passwordSecret?.name;
  if (!name) return checked(wish.password || undefined, "spec.password");
  const secret = (secrets as readonly Secret[]).find(({ metadata }) => metadata?.name === name);
  const field = "spec.passwordSecret.name";
  const encoded = secret?.data?.[KEY];
  if (secret && secret.type === TYPE && encoded !== undefined) {
    return checked(Buffer.from(encoded, "base64").toString("utf8"), field);
  }
  const problem = secret
    ? `is no Secret of type ${TYPE} with the key "${KEY}"`
    : "is no Secret here";
  const remedy = `create it in the namespace of the BGPPeer, of type ${TYPE}, with the key "${KEY}"`;
  return { finding: { field, value: name, problem, remedy, mayComeLater: true } };
}

/** Names of the Secrets that these BGPPeers name, whatever else may be wrong with them; sorted, each once. */
export function passwordSecretsOf(peers: readonly unknown[]): readonly string[] {
  const names = peers.flatMap(peer => {
    const { spec } = peer as { readonly spec?: Wish };
    const name: unknown = spec?.passwordSecret?.name;
    return typeof name === "string" && name !== "" ? name : [];
  });
  return [...new Set(names)].sort();
}

function checked(
  password: string | undefined,
  field: string,
): { readonly password: string | undefined } | { readonly finding: Finding } {
  if (password === undefined || Buffer.byteLength(password) <= MOST_BYTES) return { password };
  const problem = `is a password of more than ${MOST_BYTES} bytes`;
  const remedy = `use a shorter one on both sides`;
  return { finding: { field, value: undefined, problem, remedy } };
}
