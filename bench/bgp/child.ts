import { fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdir } from "node:fs/promises";
import { build } from "esbuild";
import { inRepo } from "../../hack/repo";

/** One of our own processes, and what it says. `M` is the type of its messages. */
export type Child<M extends { readonly type: string }> = {
  readonly pid: number;
  tell(message: unknown): void;
  /** Resolves with the next message of this type. */
  next<T extends M["type"]>(type: T): Promise<Extract<M, { readonly type: T }>>;
  stop(): Promise<void>;
};

/** Starts `bench/bgp/NAME.ts` as users run our code: bundled, by plain Node.js. */
export async function startChild<M extends { readonly type: string }>(
  name: string,
): Promise<Child<M>> {
  const outfile = inRepo(".cache/bench", `${name}.mjs`);
  await mkdir(inRepo(".cache/bench"), { recursive: true });
  await build({
    ...{ entryPoints: [inRepo("bench/bgp", `${name}.ts`)], outfile },
    ...{ bundle: true, platform: "node", format: "esm", packages: "external", logLevel: "error" },
  });
  const child = fork(outfile, { execArgv: [] });
  const inbox = createInbox<M>();
  child.on("message", (message: M) => {
    inbox.put(message);
  });
  const exited = once(child, "exit").then(() => {
    inbox.close(new Error(`${name} has ended`));
  });
  return {
    pid: child.pid ?? 0,
    tell: message => child.send(message as object),
    next: type => inbox.take(type),
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

type Inbox<M extends { readonly type: string }> = {
  put(message: M): void;
  take<T extends M["type"]>(type: T): Promise<Extract<M, { readonly type: T }>>;
  /** Nothing more will come. */
  close(reason: Error): void;
};

/** Keeps messages until somebody takes them, each once and those of a type in their order. */
function createInbox<M extends { readonly type: string }>(): Inbox<M> {
  const messages: M[] = [];
  const events = new EventEmitter().setMaxListeners(0);
  let closed: Error | undefined;

  async function take<T extends M["type"]>(type: T): Promise<Extract<M, { readonly type: T }>> {
    for (;;) {
      const index = messages.findIndex(message => message.type === type);
      if (index >= 0) return messages.splice(index, 1)[0] as Extract<M, { readonly type: T }>;
      if (closed) throw closed;
      await once(events, "news");
    }
  }

  return {
    take,
    put: message => {
      messages.push(message);
      events.emit("news");
    },
    close: reason => {
      closed = reason;
      events.emit("news");
    },
  };
}
