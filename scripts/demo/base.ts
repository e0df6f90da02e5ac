import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Architecture, type BuildResult, build } from "../../src/index.ts";

const runtime = fileURLToPath(new URL("../../testdata/runtimes/nodejs/", import.meta.url));

export const ARCHITECTURE: Architecture = process.arch === "arm64" ? "arm64" : "x86_64";

/** The variables of AWS's base images that a Node runtime without a shell needs. */
export const ENVIRONMENT = {
  PATH: "/var/lang/bin",
  LAMBDA_TASK_ROOT: "/var/task",
  LAMBDA_RUNTIME_DIR: "/var/runtime",
  NODE_VERSION: process.versions.node,
};

/**
 * Writes the files of a small base image: this machine's Node, the libraries it needs, and a
 * runtime of 60 lines.
 */
export function layBaseFiles(directory: string): void {
  put(process.execPath, join(directory, "var/lang/bin/node"), 0o755);
  put(join(runtime, "lambda-entrypoint"), join(directory, "lambda-entrypoint.sh"), 0o755);
  put(join(runtime, "index.mjs"), join(directory, "var/runtime/index.mjs"), 0o644);
  for (const library of librariesOf(process.execPath)) put(library, join(directory, library), 0o755);
}

/** Builds a base image of these files in the layout `to`. */
export function makeBase(directory: string, to: string, cacheDirectory: string): Promise<BuildResult> {
  layBaseFiles(directory);
  return build({
    ...{ directory, base: "scratch", target: "/", to, cacheDir: cacheDirectory },
    ...{ arch: ARCHITECTURE, workdir: "/var/task", entrypoint: ["/lambda-entrypoint.sh"], cmd: [] },
    env: ENVIRONMENT,
    // The checks apply to functions, and a base is not one yet.
    check: false,
    // Nearly all of it is one large file that is used once, so a fast compression level is best.
    level: 1,
  });
}

function put(from: string, to: string, mode: number): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
  chmodSync(to, mode);
}

/**
 * Lists the shared libraries that the program loads, including the dynamic loader; none if it is
 * static.
 */
function librariesOf(program: string): readonly string[] {
  if (process.platform !== "linux") return [];
  const told = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...told.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(0x/gm)].map(([, path = ""]) => path);
}
