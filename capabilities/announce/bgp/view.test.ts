import { describe, expect, it } from "vitest";
import type { BgpPeer } from "../../config/bgp/peer";
import type { WantedPeer } from "./routes";
import { NOTHING_TOLD, changesBetween, viewOf } from "./view";

const wanted = (name: string, ...carried: readonly string[]): WantedPeer => ({
  peer: { name } as BgpPeer,
  routes: new Map(),
  carried: new Set(carried),
});
const WEB = "default/web 192.0.2.1";
const WEB6 = "default/web fd00::1";
const API = "default/api 192.0.2.1";
const all = [wanted("tor2", WEB, WEB6, API), wanted("tor1", WEB), wanted("idle")];

describe("what routers are told of Services", () => {
  it("is what is wanted where a session is up, and waits where none is", () => {
    const view = viewOf(all, name => name === "tor2");
    expect([...view.audiences]).toEqual([
      ["default/web", { peers: ["tor2"], waitingPeers: ["tor1"] }],
      ["default/api", { peers: ["tor2"], waitingPeers: [] }],
    ]);
    expect([...view.addresses]).toEqual([
      ["192.0.2.1", ["tor2"]],
      ["fd00::1", ["tor2"]],
    ]);
    expect([...view.told]).toEqual([WEB, WEB6, API]);
    expect(viewOf(all, () => true).addresses.get("192.0.2.1")).toEqual(["tor1", "tor2"]);
    expect(viewOf(all, () => false).told.size).toBe(0);
  });

  it("metallb 144: changes for the Services and addresses that it changes for", () => {
    const before = viewOf(all, name => name === "tor2");
    expect(
      changesBetween(
        before,
        viewOf(all, name => name === "tor2"),
      ),
    ).toEqual({
      ...{ services: [], addresses: [] },
    });
    expect(
      changesBetween(
        before,
        viewOf(all, () => true),
      ),
    ).toEqual({
      ...{ services: ["default/web"], addresses: ["192.0.2.1"] },
    });
    expect(changesBetween(before, NOTHING_TOLD)).toEqual({
      ...{ services: ["default/web", "default/api"], addresses: ["192.0.2.1", "fd00::1"] },
    });
  });
});
