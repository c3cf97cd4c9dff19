import type { AddressConflict } from "../../config/kinds/virtual-ip";
import type { Conflict, Wire } from "../wire/wire";
import { describeConflict } from "./announced-condition";

export type ConflictReportsOptions = {
  readonly me: string;
  /** The time for people, RFC 3339. */
  readonly now: () => string;
  /** Called once when a stranger is seen, when it is another one, and when it is gone. */
  readonly onTurn: (turn: ConflictTurn) => void;
};

/** A change of who else has an address. */
export type ConflictTurn = {
  readonly address: string;
  readonly type: "Normal" | "Warning";
  readonly reason: "AddressConflict" | "AddressConflictEnded";
  readonly message: string;
};

/** The conflicts that this node has seen, each since when. */
export type ConflictReports = {
  /** Takes in what the wire says now. Returns the addresses of which it says something else. */
  update(wire: Pick<Wire, "conflicts" | "settled">): readonly string[];
  get(address: string): AddressConflict | undefined;
};

export function createConflictReports(options: ConflictReportsOptions): ConflictReports {
  const { me, now, onTurn } = options;
  const known = new Map<string, AddressConflict>();

  function begin(address: string, { mac, interface: name, isInUse }: Conflict): void {
    const before = known.get(address);
    const since = before?.mac === mac ? before.since : now();
    const conflict = { mac, interface: name, seenBy: me, since, isInUse };
    known.set(address, conflict);
    if (before?.mac === mac) return;
    const message = `${address}: ${describeConflict(conflict)}`;
    onTurn({ address, type: "Warning", reason: "AddressConflict", message });
  }

  /** An address that another node looks after now may have its stranger still. */
  function end(address: string, settled: string | undefined): void {
    const mac = known.get(address)?.mac ?? "";
    known.delete(address);
    if (mac !== settled) return;
    const message = `${address}: the host with MAC ${mac} that had the address is heard no more`;
    onTurn({ address, type: "Normal", reason: "AddressConflictEnded", message });
  }

  return {
    update: wire => {
      const conflicts = wire.conflicts();
      const begun = [...conflicts].filter(([address, conflict]) => {
        const before = known.get(address);
        return before?.mac !== conflict.mac || before.isInUse !== conflict.isInUse;
      });
      const ended = [...known.keys()].filter(address => !conflicts.has(address));
      begun.forEach(([address, conflict]) => {
        begin(address, conflict);
      });
      ended.forEach(address => {
        end(address, wire.settled(address));
      });
      return [...begun.map(([address]) => address), ...ended];
    },
    get: address => known.get(address),
  };
}
