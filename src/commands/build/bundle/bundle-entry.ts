import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { LambdaPackError } from "../../../errors.ts";
import { manifestOf } from "./external-packages.ts";

/** The source file that is the entry point of a bundle. */
export interface BundleEntry {
  /** Relative to the source directory: `src/app.ts`. */
  readonly file: string;
  /** The file name of the bundle without its extension: `app`. */
  readonly name: string;
  readonly format: "cjs" | "esm";
  /** The handler for CMD: `app.handler`. */
  readonly handler: string;
}

const EXTENSIONS = [".ts", ".mts", ".tsx", ".js", ".mjs"];
const USUAL = ["index.handler", "app.handler"];

/**
 * Finds the source file of a handler such as `src/app.handler`.
 * @throws HANDLER_NOT_FOUND
 */
export function findBundleEntry(root: string, handler: string | undefined): BundleEntry {
  for (const one of handler === undefined ? USUAL : [handler]) {
    const found = entryOf(root, one);
    if (found) return found;
  }
  const looked = EXTENSIONS.join(", ");
  if (handler === undefined)
    throw new LambdaPackError("HANDLER_NOT_FOUND", `there is no index or app (${looked}) to bundle`, {
      hint: "name the source file and its function: --handler src/app.handler",
    });
  throw new LambdaPackError(
    "HANDLER_NOT_FOUND",
    `the handler ${handler} names no file (${looked}) to bundle`,
    {
      hint: "name a source file of the directory and its function: --handler src/app.handler",
    },
  );
}

function entryOf(root: string, handler: string): BundleEntry | undefined {
  const [, path = "", name = ""] = /^(?:\.\/)?((?:[^/]+\/)*[^/.]+)\.([^/]+)$/.exec(handler) ?? [];
  if (path === "" || path.split("/").includes("..")) return undefined;
  const extension = EXTENSIONS.find((end) => existsSync(join(root, path + end)));
  if (extension === undefined) return undefined;
  const file = path + extension;
  const stem = basename(path);
  return { file, name: stem, format: formatOf(join(root, file)), handler: `${stem}.${name}` };
}

/**
 * Decides the format as Node does: by the extension, else by `type` in the nearest package.json.
 */
function formatOf(file: string): "cjs" | "esm" {
  if (/^\.m[jt]s$/.test(extname(file))) return "esm";
  for (let at = dirname(file); ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return manifestOf(at)["type"] === "module" ? "esm" : "cjs";
    if (at === dirname(at)) return "cjs";
  }
}
