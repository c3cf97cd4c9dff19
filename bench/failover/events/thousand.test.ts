import { describe, expect, it } from "vitest";
import { announcementIn } from "./thousand";

const mac = "02:30:00:00:00:67 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42:";

describe("announcementIn", () => {
  it.each([
    [`1764291925.500001 ${mac} Announcement 172.31.0.5, length 28`, "172.31.0.5"],
    [
      `1764291925.500001 ${mac} Request who-has 172.31.0.5 tell 172.31.0.5, length 28`,
      "172.31.0.5",
    ],
    [
      `1764291925.500001 ${mac} Request who-has 172.31.0.5 (ff:ff:ff:ff:ff:ff) tell 172.31.0.5, length 28`,
      "172.31.0.5",
    ],
    [`1764291925.500001 ${mac} Reply 172.31.0.5 is-at 02:30:00:00:00:67, length 28`, "172.31.0.5"],
  ])("%s", (line, address) => {
    expect(announcementIn(line)).toEqual([[address, 1764291925500.001]]);
  });

  it("is not a question for somebody else", () => {
    const question = "Request who-has 172.31.0.5 tell 172.30.0.103, length 28";
    expect(announcementIn(`1764291925.5 ${mac} ${question}`)).toEqual([]);
  });
});
