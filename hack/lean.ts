import type { Plugin } from "esbuild";

/** A package of which only what is used is to be bundled, though its package.json does not say that this is safe. */
const WITHOUT_SIDE_EFFECTS = /\/node_modules\/@kubernetes\/client-node\//;

/** node-fetch asks for it where Node.js has no URL of its own; its tables of characters take some megabytes. */
const NEVER_CALLED = /\/node_modules\/whatwg-url\/.*\.js$/;

/** What can lead there: the package's name, and the paths in it. */
const LEADS_THERE = /^\.{1,2}\/|^@kubernetes\/client-node/;

/** One mark on a path that is being looked up, so that the look-up does not come back here. */
const ASKED = { isAsked: true };

/**
 * Keeps out of a bundle what its process would load and never call. Each megabyte of code is several of memory, on
 * every node.
 */
export const lean: Plugin = {
  name: "lean",
  setup: build => {
    build.onResolve({ filter: LEADS_THERE }, async ({ path, pluginData, ...from }) => {
      if (pluginData === ASKED || from.kind === "entry-point") return undefined;
      if (path.startsWith(".") && !WITHOUT_SIDE_EFFECTS.test(from.importer)) return undefined;
      const found = await build.resolve(path, { ...from, pluginData: ASKED });
      if (found.errors.length > 0 || !WITHOUT_SIDE_EFFECTS.test(found.path)) return undefined;
      return { path: found.path, sideEffects: false };
    });
    build.onLoad({ filter: NEVER_CALLED }, () => ({ contents: "module.exports = {};" }));
  },
};

/**
 * Throws if a bundle has a character that V8 would keep all of the text in two bytes each for.
 *
 * @param text a bundle's text
 * @param path where it is, for the error
 */
export function checkIsLatin1(text: string, path: string): void {
  const wide = /.{0,20}[^\u0000-\u00ff]/u.exec(text);
  if (!wide) return;
  const remedy = "write it as an escape in the source, or V8 takes twice the memory for the text";
  throw new Error(`${path}: a character beyond Latin-1 in «${wide[0]}»: ${remedy}`);
}
