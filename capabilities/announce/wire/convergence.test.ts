import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  NO_TAKEOVERS,
  answered,
  giveUp,
  goOnConverging,
  nextConverging,
  takeOver,
} from "./convergence";
import type { Converged, Convergence, Target } from "./convergence";

const IP = "172.30.0.240";
const GATEWAY: Target = { address: "172.30.0.1", interfaceIndex: 2, isGateway: true };
const HOST: Target = { address: "172.30.0.200", interfaceIndex: 2, isGateway: false };

/** Runs as a timer that keeps to what is due would. A host answers the n-th question that it is asked, 1 ms later. */
function run(start: Convergence, answersNth: Readonly<Record<string, number>>) {
  let state = start;
  const asked: (readonly [number, string])[] = [];
  const done: Converged[] = [];
  const counts = new Map<string, number>();
  let now = nextConverging(state);
  for (let i = 0; i < 500 && now !== undefined; i++) {
    const next = goOnConverging(state, now);
    state = next.state;
    done.push(...next.done);
    for (const { address, target } of next.ask) {
      asked.push([now, target.address]);
      const count = (counts.get(target.address) ?? 0) + 1;
      counts.set(target.address, count);
      if (answersNth[target.address] !== count) continue;
      const answer = { from: target.address, interfaceIndex: 2, now: now + 1 };
      state = answered(state, address, answer);
    }
    const due = nextConverging(state);
    const isAllTold = [...state.values()].every(({ targets }) =>
      [...targets.values()].every(one => one.answeredAt !== undefined),
    );
    now = due === undefined ? undefined : isAllTold ? now + 1 : due;
  }
  return { state, asked, done };
}

const begin = (...targets: readonly Target[]): Convergence =>
  takeOver(NO_TAKEOVERS, IP, { startedAt: 95, targets, now: 100 });

describe("convergence", () => {
  it("is the time from the decision until the last one has answered", () => {
    const { done, asked } = run(begin(GATEWAY, HOST), { [GATEWAY.address]: 1, [HOST.address]: 3 });
    expect(done).toEqual([{ address: IP, ms: 56, silent: [] }]);
    expect(asked.map(([at]) => at)).toEqual([100, 100, 120, 150]);
  });

  it("a gateway that ignores the announcement is asked until it answers", () => {
    const { done } = run(begin(GATEWAY), { [GATEWAY.address]: 9 });
    expect(done).toEqual([{ address: IP, ms: 2006, silent: [] }]);
  });

  it("a neighbour that is gone is not waited for", () => {
    const { done, asked } = run(begin(GATEWAY, HOST), { [GATEWAY.address]: 1 });
    expect(done).toEqual([{ address: IP, ms: 6, silent: [HOST.address] }]);
    expect(asked.filter(([, address]) => address === HOST.address)).toHaveLength(6);
  });

  it("a gateway that never answers is given up after half a minute, and no time is told", () => {
    const { done, asked, state } = run(begin(GATEWAY, HOST), { [HOST.address]: 1 });
    expect(done).toEqual([{ address: IP, silent: [GATEWAY.address] }]);
    const last = asked.at(-1)?.[0] ?? 0;
    expect(last).toBeGreaterThan(25_000);
    expect(last).toBeLessThan(35_000);
    expect(state.size).toBe(0);
  });

  it("without anybody to ask there is nothing to wait for", () => {
    expect(begin()).toBe(NO_TAKEOVERS);
  });

  it("another link's hosts are added to the same takeover; another takeover begins anew", () => {
    const told = answered(begin(GATEWAY), IP, {
      from: GATEWAY.address,
      interfaceIndex: 2,
      now: 101,
    });
    const other = { ...HOST, interfaceIndex: 3 };
    const both = takeOver(told, IP, { startedAt: 95, targets: [other], now: 102 });
    expect([...both.get(IP)!.targets.values()].map(({ answeredAt }) => answeredAt)).toEqual([
      101,
      undefined,
    ]);
    const anew = takeOver(both, IP, { startedAt: 200, targets: [GATEWAY], now: 201 });
    expect([...anew.get(IP)!.targets.values()]).toEqual([GATEWAY]);
  });

  it("ends with the address, and takes no answer that it did not ask for", () => {
    const state = begin(GATEWAY);
    expect(giveUp(state, IP).size).toBe(0);
    expect(giveUp(NO_TAKEOVERS, IP)).toBe(NO_TAKEOVERS);
    const answer = { from: HOST.address, interfaceIndex: 2, now: 101 };
    expect(answered(state, IP, answer)).toBe(state);
    expect(answered(state, "172.30.0.241", answer)).toBe(state);
    const elsewhere = { from: GATEWAY.address, interfaceIndex: 3, now: 101 };
    expect(answered(state, IP, elsewhere)).toBe(state);
  });

  it("for any hosts and answers it ends once, and tells a time only if every gateway answered", () => {
    const hosts = fc.uniqueArray(
      fc.record({
        address: fc.ipV4(),
        interfaceIndex: fc.constant(2),
        isGateway: fc.boolean(),
        nth: fc.nat(50),
      }),
      { minLength: 1, maxLength: 6, selector: ({ address }) => address },
    );
    fc.assert(
      fc.property(hosts, list => {
        const answers = Object.fromEntries(list.map(({ address, nth }) => [address, nth]));
        const targets = list.map(({ address, interfaceIndex, isGateway }) => {
          return { address, interfaceIndex, isGateway };
        });
        const { done, state } = run(begin(...targets), answers);
        expect([done.length, state.size]).toEqual([1, 0]);
        const answersInTime = ({ isGateway, nth }: (typeof list)[number]): boolean =>
          nth >= 1 && nth <= (isGateway ? 37 : 6);
        const isTold =
          list.filter(({ isGateway }) => isGateway).every(answersInTime) &&
          list.some(answersInTime);
        expect(done[0]?.ms !== undefined).toBe(isTold);
        const silent = list.filter(one => !answersInTime(one)).map(({ address }) => address);
        expect(done[0]?.silent).toEqual(silent.sort());
      }),
      { numRuns: 50 },
    );
  });
});
