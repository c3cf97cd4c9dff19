import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { parseAddress } from "../../../config/address";
import { addressBytes } from "../../address-bytes";
import { parseMac } from "../../packet/ethernet";
import { answerFrame } from "./answer";
import { NOTHING, arpRequestFilter, intervalsOf, solicitationFilter } from "./filter";
import type { AnswerCount, Order, PacketBinding, Report } from "./packet-responder";
import { readQuestion } from "./question";
import { ETH_P_ARP, ETH_P_IPV6, clearWakeUp, createWaiter, openQuestionSocket } from "./sockets";
import type { QuestionSocket } from "./sockets";

/** Counts are for metrics, and a thread that is ended from outside must look up now and then, ms. */
const LOOK_UP_MS = 1000;
/** Questions read in a row: a flood must not keep this from its orders. */
const FRAMES_IN_A_ROW = 256;

type Groups = ReadonlyMap<string, readonly [interfaceIndex: number, mac: Uint8Array]>;

/** What runs in the thread that answers; `createPacketResponder` is its other end. */
class AnsweringThread {
  /** IPv6 is all the traffic of a node, so its socket is opened only when something is to be heard there. */
  #sockets: { arp?: QuestionSocket; ndp?: QuestionSocket } = {};
  #bindings: ReadonlyMap<string, PacketBinding> = new Map();
  #groups: Groups = new Map();
  #counts = new Map<string, { asked: number; answered: number }>();

  run(wakeUpFd: number): void {
    const waiter = createWaiter();
    let countedAt = performance.now();
    for (;;) {
      const { arp, ndp } = this.#sockets;
      const sockets = [arp, ndp].filter(socket => socket !== undefined);
      const fds = waiter.wait([wakeUpFd, ...sockets.map(({ fd }) => fd)], LOOK_UP_MS);
      if (fds.includes(wakeUpFd)) {
        clearWakeUp(wakeUpFd);
        if (this.#obeyAll() === "stop") return;
      }
      for (const socket of sockets) if (fds.includes(socket.fd)) this.#hear(socket);
      if (performance.now() - countedAt < LOOK_UP_MS) continue;
      countedAt = performance.now();
      this.#report();
    }
  }

  #obeyAll(): "stop" | undefined {
    for (;;) {
      const order = parentPort && (receiveMessageOnPort(parentPort)?.message as Order | undefined);
      if (!order) return undefined;
      if (order.do === "stop") return "stop";
      const { turn, bindings } = order;
      try {
        this.#answerFor(bindings);
        say({ is: "answering", turn });
      } catch (error) {
        say({ is: "answering", turn, problem: `answering by packets: ${String(error)}` });
      }
    }
  }

  #answerFor(bindings: readonly PacketBinding[]): void {
    this.#bindings = new Map(bindings.map(b => [`${b.address}%${b.interfaceIndex}`, b]));
    const keys = { arp: new Set<number>(), ndp: new Set<number>() };
    const groups = new Map<string, readonly [number, Uint8Array]>();
    for (const { address, interfaceIndex } of bindings) {
      const parsed = parseAddress(address);
      if (!parsed) continue;
      const bytes = addressBytes(parsed);
      keys[parsed.family === "ipv4" ? "arp" : "ndp"].add(bytes.readUInt32BE(bytes.length - 4));
      if (parsed.family === "ipv4") continue;
      const group = Uint8Array.of(0x33, 0x33, 0xff, ...bytes.subarray(13));
      groups.set(`${group.join()}%${interfaceIndex}`, [interfaceIndex, group]);
    }
    this.#filter("arp", keys.arp);
    this.#filter("ndp", keys.ndp);
    this.#join(groups);
  }

  #filter(which: "arp" | "ndp", keys: ReadonlySet<number>): void {
    if (keys.size === 0) {
      this.#sockets[which]?.setFilter(NOTHING);
      return;
    }
    const targets = intervalsOf(keys);
    if (which === "arp") {
      this.#sockets.arp ??= openQuestionSocket(ETH_P_ARP);
      this.#sockets.arp.setFilter(arpRequestFilter(targets));
    } else {
      this.#sockets.ndp ??= openQuestionSocket(ETH_P_IPV6);
      this.#sockets.ndp.setFilter(solicitationFilter(targets));
    }
  }

  /** The interface must hear the solicited-node groups, whether or not the kernel joined them. */
  #join(groups: Groups): void {
    const { ndp } = this.#sockets;
    for (const [key, [index, mac]] of this.#groups) {
      if (!groups.has(key)) ndp?.setGroup(index, mac, false);
    }
    for (const [key, [index, mac]] of groups) {
      if (!this.#groups.has(key)) ndp?.setGroup(index, mac, true);
    }
    this.#groups = groups;
  }

  #hear(socket: QuestionSocket): void {
    for (let i = 0; i < FRAMES_IN_A_ROW; i++) {
      const heard = socket.receive();
      if (!heard) return;
      const { frame, interfaceIndex } = heard;
      const question = readQuestion(frame);
      const binding = question && this.#bindings.get(`${question.target}%${interfaceIndex}`);
      const mac = binding && parseMac(binding.mac);
      if (!mac) continue;
      const { isLocal, linkLocal } = binding;
      const answerer = { mac, isLocal, ...(linkLocal === undefined ? {} : { linkLocal }) };
      const isSent = socket.send(interfaceIndex, answerFrame(question, answerer));
      const count = this.#counts.get(question.target) ?? { asked: 0, answered: 0 };
      this.#counts.set(question.target, count);
      count.asked += 1;
      if (isSent) count.answered += 1;
    }
  }

  #report(): void {
    if (this.#counts.size === 0) return;
    const counts = [...this.#counts].map(
      ([address, count]): AnswerCount => ({ address, ...count }),
    );
    this.#counts.clear();
    say({ is: "counts", counts });
  }
}

function say(report: Report): void {
  parentPort?.postMessage(report);
}

new AnsweringThread().run((workerData as { readonly wakeUpFd: number }).wakeUpFd);
