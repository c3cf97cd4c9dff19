import { describe, expect, it } from "vitest";
import { answersIn } from "./wire";

const lines = `tcpdump: verbose output suppressed
01:05:25.1 02:30:00:00:00:67 > 02:30:00:00:00:c8, ethertype ARP (0x0806), length 42: Reply 172.30.0.240 is-at 02:30:00:00:00:67, length 28
01:05:25.2 02:30:00:00:00:c8 > 33:33:ff:00:02:40, ethertype IPv6 (0x86dd), length 86: fd00:30::200 > ff02::1:ff00:240: ICMP6, neighbor solicitation, who has fd00:30::240, length 32
01:05:25.3 02:30:00:00:00:67 > 02:30:00:00:00:c8, ethertype IPv6 (0x86dd), length 86: fd00:30::103 > fd00:30::200: ICMP6, neighbor advertisement, tgt is fd00:30::240, length 32
01:05:25.4 02:30:00:00:00:c8 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 172.30.0.240 tell 172.30.0.200, length 28
`;

describe("answersIn", () => {
  it("finds ARP replies and neighbor advertisements, with the sender of the frame", () => {
    expect(answersIn(lines)).toEqual([
      { mac: "02:30:00:00:00:67", address: "172.30.0.240" },
      { mac: "02:30:00:00:00:67", address: "fd00:30::240" },
    ]);
  });
});
