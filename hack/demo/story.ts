/** How the demo speaks: chapters, the commands a reader could type, and what they answered. */
export type Story = {
  readonly chapter: (title: string) => void;
  readonly command: (line: string) => void;
  readonly output: (text: string) => void;
  readonly note: (text: string) => void;
};

/** A storyteller that prints, with the seconds since it began in front of every chapter. */
export function createStory(print: (line: string) => void, now: () => number): Story {
  const begin = now();
  const seconds = (): string => `${((now() - begin) / 1000).toFixed(0).padStart(4)} s`;
  return {
    chapter: title => {
      print(`\n${seconds()}  ${title}`);
    },
    command: line => {
      print(`        $ ${line}`);
    },
    output: text => {
      for (const line of text.trimEnd().split("\n")) print(`          ${line}`);
    },
    note: text => {
      print(`        ${text}`);
    },
  };
}
