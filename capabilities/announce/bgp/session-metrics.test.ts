import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSpeaker } from "../../bgp/index";
import type { Peer, Speaker } from "../../bgp/index";
import type { BgpPeer } from "../../config/bgp/peer";
import { node } from "../fixtures";
import { registerSessionMetrics } from "./session-metrics";
import { createSessions } from "./sessions";
import type { BgpSessions } from "./sessions";

const ME = node("n1", { addresses: ["127.0.0.1"] });

/** Against a second speaker, over TCP on loopback: what one counts, the other has to count, too. */
describe("metrics of BGP sessions", () => {
  let router: Speaker;
  let routerSide: Peer;
  let sessions: BgpSessions;
  let peer: BgpPeer;
  const registry = new Registry();
  registerSessionMetrics(registry, () => sessions.reports());

  beforeEach(async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    router = createSpeaker({
      ...{ as: 64501, routerId: "10.0.0.1" },
      listen: { address: "127.0.0.1", port },
    });
    await router.listening();
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    sessions = createSessions({ log });
    peer = {
      ...{ name: "router", myAsn: 64500, peerAsn: 64501, address: "127.0.0.1", port },
      ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [], connectTime: 1 },
    };
  });

  afterEach(async () => {
    await sessions.stop("the test is over");
    await router.stop();
  });

  const apply = (prefixes: readonly string[], over: Partial<BgpPeer> = {}): void => {
    const routes = new Map(prefixes.map(prefix => [prefix, {}]));
    sessions.apply([{ peer: { ...peer, ...over }, routes, carried: new Set() }], ME);
  };
  const value = async (name: string, labels = ""): Promise<number | undefined> => {
    const title = `peer="127.0.0.1:${peer.port}",vrf="default"${labels}`;
    const line = (await registry.metrics())
      .split("\n")
      .find(one => one.startsWith(`${name}{${title}}`));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  const meet = (): void => {
    routerSide = router.addPeer({ address: "127.0.0.1", as: "external", isPassive: true });
  };
  const until = (condition: () => boolean): Promise<boolean> => vi.waitUntil(condition, 20_000);

  it("metallb 176: count what is sent and received, as the router does", async () => {
    meet();
    apply(["192.0.2.1/32", "192.0.2.2/32"]);
    await until(() => routerSide.status().received.updates === 2);
    apply(["192.0.2.1/32"]);
    await until(() => routerSide.status().received.withdrawn === 1);
    const { sent, received } = routerSide.status().traffic;
    expect(await value("metallb_bgp_session_up")).toBe(1);
    expect(await value("metallb_bgp_announced_prefixes_total")).toBe(1);
    expect(await value("metallb_bgp_pending_prefixes_total")).toBe(0);
    expect(await value("metallb_bgp_updates_total")).toBe(received.update);
    expect(received.update).toBe(3);
    expect(await value("metallb_bgp_opens_sent")).toBe(1);
    expect(await value("metallb_bgp_opens_received")).toBe(1);
    expect(await value("metallb_bgp_keepalives_sent")).toBe(received.keepalive);
    expect(await value("metallb_bgp_keepalives_received")).toBe(sent.keepalive);
    const total = Object.values(received).reduce((sum, count) => sum + count, 0);
    expect(await value("metallb_bgp_total_sent")).toBe(total);
    expect(await value("metallb_bgp_notifications_sent")).toBe(0);
    expect(await value("metallb_bgp_route_refresh_sent")).toBe(0);
    expect(await value("ancho_bgp_session_state", ',state="Established"')).toBe(1);
    await expect(registry.metrics()).resolves.toContain("# TYPE metallb_bgp_updates_total counter");
  });

  it("go on counting over sessions, and tell why the last one ended", async () => {
    meet();
    apply(["192.0.2.1/32"]);
    await until(() => routerSide.status().received.updates === 2);
    await routerSide.stop("back at noon");
    await until(() => sessions.reports()[0]?.isUp === false);
    expect(await value("metallb_bgp_session_up")).toBe(0);
    expect(await value("metallb_bgp_pending_prefixes_total")).toBe(1);
    expect(await value("ancho_bgp_notifications_received")).toBe(1);
    expect(await registry.metrics()).toMatch(
      /ancho_bgp_session_last_error_info\{.*reason="[^"]*back at noon[^"]*"\} 1/,
    );
    meet();
    await until(() => routerSide.status().received.updates === 2);
    expect(await value("metallb_bgp_updates_total")).toBe(4);
    expect(await value("metallb_bgp_opens_received")).toBe(2);
  });

  it("tell the same address in two VRFs apart", async () => {
    apply([], { vrf: "lo" });
    await until(() => sessions.reports().length === 1);
    const title = `peer="127.0.0.1:${peer.port}",vrf="lo"`;
    expect(await registry.metrics()).toContain(`metallb_bgp_session_up{${title}} `);
  });
});
