import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { enterNamespace } from "../interop/netns";

type Target = { readonly address: string; readonly port: number };

/** How long an answer may take: lost packets are sent again after a second or two, ms. */
const ANSWER_MS = 5_000;

/** Answers every connection with what it sends, in a namespace, until the function that is returned is called. */
export async function startEcho(namespace: string, { address, port }: Target): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  const leave = enterNamespace(namespace);
  try {
    server.listen(port, address, 4096);
    await once(server, "listening");
  } finally {
    leave();
  }
  return () => {
    sockets.forEach(socket => socket.destroy());
    server.close();
  };
}

/** Running connections. */
export type Flows = {
  /** Sends something on each that was alive, and counts the answers. */
  alive(): Promise<number>;
  close(): void;
};

/** Opens so many connections from a namespace, each of which has been answered once. */
export async function openFlows(
  namespace: string,
  { address, port }: Target,
  count: number,
): Promise<Flows> {
  const leave = enterNamespace(namespace);
  const sockets = Array.from({ length: count }, () => connect({ host: address, port }));
  const close = (): void => {
    sockets.forEach(socket => socket.destroy());
  };
  try {
    await Promise.all(sockets.map(socket => once(socket, "connect")));
  } catch (error) {
    close();
    throw error;
  } finally {
    leave();
  }
  sockets.forEach(socket => {
    socket.on("error", () => undefined);
  });
  let living: readonly Socket[] = sockets;
  const alive = async (): Promise<number> => {
    const answers = await Promise.all(living.map(isAnswered));
    living = living.filter((_, i) => answers[i] === true);
    return living.length;
  };
  if ((await alive()) < count) throw new Error(`not all of ${count} connections were answered`);
  return { alive, close };
}

function isAnswered(socket: Socket): Promise<boolean> {
  return new Promise(resolve => {
    const end = (isAlive: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data").removeAllListeners("close");
      resolve(isAlive);
    };
    const timer = setTimeout(end, ANSWER_MS, false);
    socket.once("data", () => {
      end(true);
    });
    socket.once("close", () => {
      end(false);
    });
    if (socket.destroyed) end(false);
    else socket.write("are you there?");
  });
}
