import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Warning } from "../to-entry.ts";
import type { IgnoreLine } from "./ignore.ts";

/** Ignore files that are written for a build that installs dependencies inside the image. */
const FOR_DOCKER: ReadonlySet<string> = new Set([".dockerignore", ".containerignore"]);

/**
 * Where installers put dependencies, and the file in the source directory that shows that there are
 * some.
 */
const INSTALLED: Readonly<Record<string, (root: string) => string | undefined>> = {
  node_modules: (root) => (hasDependencies(root) ? "package.json" : undefined),
  "vendor/bundle": (root) => (read(root, "Gemfile") === undefined ? undefined : "Gemfile"),
};

/**
 * Warns that a line of an ignore file leaves installed dependencies out: a Dockerfile installs them
 * again, and this program does not.
 * @param root absolute path of the source directory
 * @param ignored path that the line leaves out, relative to the root
 * @param ignoreFile absolute path of the ignore file
 */
export function ignoredDependencies(
  root: string,
  ignored: string,
  line: IgnoreLine | undefined,
  ignoreFile: string | undefined,
): Warning | undefined {
  if (!line || !ignoreFile || !FOR_DOCKER.has(basename(ignoreFile))) return undefined;
  if (!line.where.startsWith(basename(ignoreFile))) return undefined;
  const named = INSTALLED[ignored]?.(root);
  if (named === undefined) return undefined;
  return {
    message: `${line.where} (${line.pattern}) leaves ${ignored} out of the image, and ${named} names dependencies`,
    hint: `write a .lambdaignore without that line; it is read instead of ${basename(ignoreFile)}`,
  };
}

function hasDependencies(root: string): boolean {
  const text = read(root, "package.json");
  try {
    const manifest: unknown = JSON.parse(text ?? "{}");
    const dependencies = isRecord(manifest) ? manifest["dependencies"] : undefined;
    return isRecord(dependencies) && Object.keys(dependencies).length > 0;
  } catch {
    return false; // a package.json that is no JSON names nothing
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function read(root: string, name: string): string | undefined {
  try {
    return readFileSync(join(root, name), "utf8");
  } catch {
    return undefined;
  }
}
