import type { Plugin } from "esbuild";
import { pageAssets } from "../../src/report/assets.ts";

/** Puts the texts of the HTML page in place of the module that reads them from the sources. */
export const bundledPage: Plugin = {
  name: "bundled-page",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]report[\\/]assets\.ts$/ }, () => ({
      contents: `export const pageAssets = () => (${JSON.stringify(pageAssets())});`,
      loader: "js",
    }));
  },
};
