import koffi from "koffi";

/** Sends frames that are complete from the Ethernet header on. */
export type PacketSocket = {
  /** Sends on one interface. Throws an Error that names the interface if the kernel refuses. */
  send(interfaceIndex: number, frame: Uint8Array): void;
  close(): void;
};

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCKADDR_LL_BYTES = 20;
const EPERM = 1;

/**
 * Opens an AF_PACKET socket; Node has none. It is bound to no protocol, so it receives nothing and the kernel
 * copies no traffic to it. Needs CAP_NET_RAW.
 */
export function openPacketSocket(): PacketSocket {
  const libc = koffi.load(null);
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  const sendto = libc.func(
    "long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)",
  );
  const close = libc.func("int close(int fd)");
  const fd = Number(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (fd < 0) throw new Error(openError(koffi.errno()));
  return {
    send: (interfaceIndex, frame) => {
      const address = Buffer.alloc(SOCKADDR_LL_BYTES);
      // sll_family and sll_ifindex are in host order; SOCK_RAW needs no more, the frame has the rest.
      writeHostU16(address, AF_PACKET, 0);
      writeHostI32(address, interfaceIndex, 4);
      const sent = Number(sendto(fd, frame, frame.length, 0, address, address.length));
      if (sent !== frame.length) {
        throw new Error(`sending on interface ${interfaceIndex} failed: errno ${koffi.errno()}`);
      }
    },
    close: () => {
      close(fd);
    },
  };
}

function openError(errno: number): string {
  const remedy =
    errno === EPERM
      ? "add the capability NET_RAW to the container's security context"
      : "the kernel may lack CONFIG_PACKET";
  return `cannot open a packet socket (errno ${errno}): ${remedy}`;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function writeHostU16(buffer: Buffer, value: number, offset: number): void {
  if (isLittleEndian) buffer.writeUInt16LE(value, offset);
  else buffer.writeUInt16BE(value, offset);
}

function writeHostI32(buffer: Buffer, value: number, offset: number): void {
  if (isLittleEndian) buffer.writeInt32LE(value, offset);
  else buffer.writeInt32BE(value, offset);
}
