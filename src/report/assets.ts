import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** The texts of which a page is made. */
interface PageAssets {
  /** The HTML, with places marked as `{{name}}`. */
  readonly template: string;
  readonly style: string;
  readonly script: string;
}

let assets: PageAssets | undefined;

/**
 * Reads and bundles the files of the page, which are beside this one. Only for lambda-pack run from
 * its sources: in the published package scripts/build/bundle.ts has put the texts in place of this
 * module.
 */
export function pageAssets(): PageAssets {
  assets ??= {
    template: readFileSync(new URL("page.html", import.meta.url), "utf8"),
    style: bundle("page.css"),
    script: bundle("browser/main.ts"),
  };
  return assets;
}

function bundle(entry: string): string {
  const { outputFiles } = buildSync({
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16"],
    charset: "utf8",
    logLevel: "warning",
  });
  return outputFiles.map(({ text }) => text).join("");
}
