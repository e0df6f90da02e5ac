import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

interface PageAssets {
  /** The HTML with placeholders such as `{{name}}`. */
  readonly template: string;
  readonly style: string;
  readonly script: string;
}

let assets: PageAssets | undefined;

/**
 * Reads and bundles the files of the page. Only used if lambda-pack runs from its sources: in the
 * published package, scripts/build/bundle.ts replaces this module by the result.
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
