import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startBird } from "../../hack/interop/bird";
import type { Bird } from "../../hack/interop/bird";
import { waitFor } from "../../hack/wait";
import {
  asOf,
  decodeMessage,
  encodeMessage,
  HEADER_LENGTH,
  keepalive,
  readFrame,
  shortAs,
  shutdownNotification,
  shutdownText,
} from "./index";
import type { Message, Open } from "./index";

const ourAs = 4_200_000_001;
const birdAs = 65_002;

const ourOpen: Open = {
  type: "open",
  myAs: shortAs(ourAs),
  holdTime: 30,
  identifier: 0x7f000001,
  capabilities: [
    { kind: "multiprotocol", afi: 1, safi: 1 },
    { kind: "multiprotocol", afi: 2, safi: 1 },
    { kind: "routeRefresh" },
    { kind: "fourOctetAs", as: ourAs },
    { kind: "unknown", code: 250, data: Uint8Array.of(1, 2, 3) },
  ],
};

/** The codec against BIRD's, over TCP on loopback: 127.0.0.1 is us, 127.0.0.2 is BIRD. */
describe("the codec and BIRD", () => {
  let bird: Bird | undefined;
  let socket: Socket | undefined;

  afterEach(async () => {
    socket?.destroy();
    await bird?.stop();
    bird = undefined;
  });

  it("come to an established session, and BIRD reads in our OPEN what we wrote", async () => {
    const peer = await dial();
    peer.send(ourOpen);
    const open = await peer.next();
    expect(open).toMatchObject({
      type: "open",
      myAs: birdAs,
      holdTime: 240,
      identifier: 0x7f000002,
    });
    expect(asOf(open as Open)).toBe(birdAs);
    expect((open as Open).capabilities).toEqual(
      expect.arrayContaining([
        { kind: "multiprotocol", afi: 1, safi: 1 },
        { kind: "multiprotocol", afi: 2, safi: 1 },
        { kind: "routeRefresh" },
        { kind: "fourOctetAs", as: birdAs },
      ]),
    );
    expect(await peer.next()).toEqual(keepalive);
    expect(await peer.state()).toMatch(/BGP state:\s+OpenConfirm/);

    peer.send(keepalive);
    await waitFor("the session", async () => /state:\s+Established/.test(await peer.state()));
    const state = await peer.state();
    expect(state).toMatch(/Neighbor AS:\s+4200000001/);
    expect(state).toMatch(/Neighbor ID:\s+127\.0\.0\.1/);
    const theirs = state.slice(state.indexOf("Neighbor capabilities"));
    expect(theirs).toMatch(/AF announced: ipv4 ipv6/);
    expect(theirs).toMatch(/Route refresh/);
    expect(theirs).toMatch(/4-octet AS numbers/);
    expect(state).toMatch(/Hold timer:\s+[\d.]+\/30/);

    // BIRD ends its first, empty set of routes with End-of-RIB: UPDATEs, framed by us.
    expect(await peer.next()).toMatchObject({ type: "update" });
  });

  it("tell each other in words why a session ends", async () => {
    const peer = await dial();
    peer.send(ourOpen);
    peer.send(keepalive);
    await waitFor("the session", async () => /state:\s+Established/.test(await peer.state()));
    peer.send(shutdownNotification(2, "maintenance until nöön"));
    await waitFor("BIRD to say so", async () =>
      /Received: Administrative shutdown.*maintenance until nöön/i.test((await bird?.log()) ?? ""),
    );
  });

  it("BIRD's shutdown communication is read", async () => {
    const peer = await dial();
    peer.send(ourOpen);
    peer.send(keepalive);
    await waitFor("the session", async () => /state:\s+Established/.test(await peer.state()));
    await bird?.ask('disable peer "back at noon"');
    let message = await peer.next();
    while (message.type !== "notification") {
      message = await peer.next();
    }
    expect(message).toMatchObject({ code: 6, subcode: 2 });
    expect(shutdownText(message)).toBe("back at noon");
  });

  it("BIRD's refusal of a wrong AS is read", async () => {
    const peer = await dial();
    peer.send({ ...ourOpen, myAs: 65_099, capabilities: [] });
    let message = await peer.next();
    while (message.type !== "notification") {
      message = await peer.next();
    }
    expect(message).toMatchObject({ type: "notification", code: 2, subcode: 2 });
  });

  /** Starts BIRD and connects to it. */
  async function dial(): Promise<{
    send(message: Message): void;
    next(): Promise<Message>;
    state(): Promise<string>;
  }> {
    const port = await freePort();
    const router = await startBird(`
      router id 127.0.0.2;
      protocol device { }
      protocol bgp peer {
        local 127.0.0.2 port ${port} as ${birdAs};
        neighbor 127.0.0.1 as ${ourAs};
        multihop; passive on; strict bind on;
        ipv4 { import all; export none; };
        ipv6 { import all; export none; };
      }`);
    bird = router;
    socket = connect({ host: "127.0.0.2", port, localAddress: "127.0.0.1" });
    await once(socket, "connect");
    return {
      send: message => void socket?.write(encodeMessage(message)),
      next: messageReader(socket),
      state: () => router.ask("show protocols all peer"),
    };
  }
});

/** Takes one message after the other from a socket. */
function messageReader(socket: Socket): () => Promise<Message> {
  let buffer = Buffer.alloc(0);
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return async () => {
    for (;;) {
      const frame = readFrame(buffer);
      if (!frame.ok) {
        throw new Error(frame.error.reason);
      }
      if (frame.value !== undefined) {
        buffer = buffer.subarray(HEADER_LENGTH + frame.value.body.length);
        const message = decodeMessage(frame.value);
        if (!message.ok) {
          throw new Error(message.error.reason);
        }
        return message.value;
      }
      const chunk = await chunks.next();
      if (chunk.done === true) {
        throw new Error("BIRD closed the connection");
      }
      buffer = Buffer.concat([buffer, chunk.value]);
    }
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.2");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
