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
