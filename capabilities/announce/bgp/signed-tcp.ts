import { Socket } from "node:net";
import koffi from "koffi";
import type { Transport } from "../../bgp/index";
import { tcp } from "../../bgp/index";
import { parseAddress } from "../../config/address";
import { addressBytes } from "../address-bytes";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_TCP = 6;
const TCP_MD5SIG = 14;

/** struct tcp_md5sig of linux/tcp.h: a sockaddr_storage, flags, lengths, an interface and the key. */
const MD5SIG_BYTES = 216;
const KEY_LENGTH_AT = 130;
const KEY_AT = 136;

/**
 * TCP whose segments carry MD5 signatures (RFC 2385), made with this password. Node.js cannot set the option, which
 * must be there before the connection begins, so the socket is made by the C library and given to Node.js then.
 */
export function signedTcp(password: string): Transport {
  return {
    ...tcp,
    dial: ({ address, port, localAddress }) => {
      const opened = openSigned(address, password);
      if (opened instanceof Error) return new Socket().destroy(opened);
      const socket = new Socket({ fd: opened });
      return socket.connect({
        ...{ host: address, port },
        ...(localAddress === undefined ? {} : { localAddress }),
      });
    },
  };
}

/** A TCP socket that is not connected yet and signs what goes to this address. */
function openSigned(address: string, password: string): number | Error {
  const { socket, setsockopt, close } = loadLibc();
  const option = md5Option(address, password);
  if (!option) return new Error(`${address} is no IP address`);
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  const fd = Number(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) return new Error(`no TCP socket: errno ${koffi.errno()}`);
  if (Number(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, option, option.length)) === 0) return fd;
  const errno = koffi.errno();
  close(fd);
  return new Error(`the kernel does not sign TCP by MD5 (TCP_MD5SIG: errno ${errno})`);
}

function md5Option(address: string, password: string): Buffer | undefined {
  const parsed = parseAddress(address);
  if (!parsed) return undefined;
  const option = Buffer.alloc(MD5SIG_BYTES);
  const isV6 = parsed.family === "ipv6";
  new Uint16Array(option.buffer, option.byteOffset, 1)[0] = isV6 ? AF_INET6 : AF_INET;
  // sockaddr_in has the address behind the port, sockaddr_in6 behind port and flow.
  option.set(addressBytes(parsed), isV6 ? 8 : 4);
  const key = Buffer.from(password);
  new Uint16Array(option.buffer, option.byteOffset + KEY_LENGTH_AT, 1)[0] = key.length;
  option.set(key, KEY_AT);
  return option;
}

type Libc = Readonly<Record<"socket" | "setsockopt" | "close", koffi.KoffiFunction>>;
let loaded: Libc | undefined;

function loadLibc(): Libc {
  if (loaded) return loaded;
  const libc = koffi.load(null);
  return (loaded = {
    socket: libc.func("int socket(int domain, int type, int protocol)"),
    setsockopt: libc.func(
      "int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)",
    ),
    close: libc.func("int close(int fd)"),
  });
}
