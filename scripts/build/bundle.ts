import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { pageAssets } from "../../src/report/assets.ts";

/** Replaces the module that reads the HTML page's files from the sources by their text. */
export const bundledPage: Plugin = {
  name: "bundled-page",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]report[\\/]assets\.ts$/ }, () => ({
      contents: `export const pageAssets = () => (${JSON.stringify(pageAssets())});`,
      loader: "js",
    }));
  },
};

/**
 * Returns esbuild's `define` with a digest of all files in `src`, by which the findings of a check
 * are cached (lint/lint-build.ts): rules use code of every directory.
 */
export function definedConstants(src: string): Readonly<Record<string, string>> {
  const hash = createHash("sha256");
  for (const name of readdirSync(src, { recursive: true, encoding: "utf8" }).sort())
    if (/\.c?ts$/.test(name)) hash.update(`${name}\n`).update(readFileSync(join(src, name)));
  return { LAMBDA_PACK_CODE: JSON.stringify(hash.digest("hex")) };
}
