/**
 * Who is there to take an address. The announcer knows members only through this type, so that another
 * way of finding out (multicast, witnesses, a test's fixed set) can stand in for the heartbeat.
 */
export type Membership = {
  /** Names of the nodes that may own addresses now; this node is among them once it is active. */
  alive(): ReadonlySet<string>;
  /** Calls back after every change of `alive()`; returns a function that ends it. */
  onChange(listener: (change: MembershipChange) => void): () => void;
  /** From now on this node may own addresses, and says so to its peers. */
  activate(): void;
  /** Tells the peers that this node lets go of everything, so that they take over at once. */
  leave(): Promise<void>;
  /** Closes sockets and timers. Says nothing to the peers: call `leave` before. */
  stop(): Promise<void>;
};

/** Nodes that came (or came back) and nodes that went, with why. */
export type MembershipChange = {
  readonly joined: readonly string[];
  readonly left: readonly { readonly node: string; readonly cause: LeaveCause }[];
};

/** silent: its heartbeats stopped. leaving: it said good-bye. removed: its Node object is gone. */
export type LeaveCause = "silent" | "leaving" | "removed";
