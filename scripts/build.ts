import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, transform } from "esbuild";
import { bundledPage, definedConstants } from "./build/bundle.ts";
import { importTables } from "./build/option-types.ts";
import { rollUpTypes } from "./build/types.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes the JavaScript of the published package to `directory`, which is emptied first: index.js
 * for programs, bin.cjs and cli.js for the command line, docker.cjs and docker.js for
 * lambda-pack-docker, worker.js for its thread, and the chunks that they share.
 */
export async function buildPackage(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/index.ts", out: "index" },
      { in: "src/cli/bin.ts", out: "cli" },
      { in: "src/cli/docker/bin.ts", out: "docker" },
      { in: "src/layer/encode/worker.ts", out: "worker" },
    ],
    outdir: directory,
    chunkNames: "chunk-[hash]",
    define: definedConstants(join(root, "src")),
    bundle: true,
    splitting: true,
    plugins: [bundledPage],
    packages: "external", // dependencies are installed: npm audit sees them
    platform: "node",
    format: "esm",
    target: "node20.19", // the oldest that package.json allows
    legalComments: "none",
    logLevel: "warning",
  });
  // An old version of Node must be able to parse this file, to print that it is too old.
  const source = readFileSync(join(root, "src/cli/bin.cts"), "utf8");
  for (const [name, program] of [
    ["bin", "./cli.js"],
    ["docker", "./docker.js"],
  ] as const) {
    const loading = source.replace("./bin.ts", program);
    const { code } = await transform(loading, { loader: "ts", target: "node12.20" });
    writeFileSync(join(directory, `${name}.cjs`), code);
  }
  copyPrograms(directory);
}

/** Copies the programs that run beside lambda-pack, or in images as their runtime client. */
function copyPrograms(directory: string): void {
  cpSync(join(root, "src/runtime/programs"), join(directory, "programs"), { recursive: true });
}

/** Defines `require` for bundled CommonJS packages. */
const REQUIRE =
  'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

/** Makes the bundler include the packages that these files load with `createRequire`. */
const followRequires: Plugin = {
  name: "follow-requires",
  setup(build) {
    build.onLoad(
      { filter: /\bsrc\/(?:dockerfile\/instructions|commands\/config\/parse)\.ts$/ },
      async ({ path }) => {
        const source = await readFile(path, "utf8");
        const contents = source.replace(/createRequire\(\s*import\.meta\.url,?\s*\)\(/, "require(");
        if (contents === source)
          throw new Error(`${path} loads its package in another way: change this plugin`);
        return { contents, loader: "ts" };
      },
    );
  },
};

/**
 * Writes the JavaScript of the GitHub Action and everything that it needs to `directory`, which is
 * emptied first.
 */
export async function buildAction(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "action/main.ts", out: "main" },
      { in: "src/layer/encode/worker.ts", out: "worker" },
    ],
    outdir: directory,
    chunkNames: "chunk-[hash]",
    define: definedConstants(join(root, "src")),
    banner: { js: REQUIRE },
    mainFields: ["module", "main"], // some packages have a "main" that no bundler can follow
    plugins: [bundledPage, followRequires],
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20.19", // the same as the package's, because the tests run it on that Node too
    legalComments: "linked",
    logLevel: "warning",
  });
  copyPrograms(directory);
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
}

/** Writes the types of the published package to `directory`/index.d.ts. */
export async function buildTypes(directory: string): Promise<void> {
  const declarations = mkdtempSync(join(tmpdir(), "lambda-pack-types-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const project = ["-p", join(root, "tsconfig.types.json"), "--outDir", declarations];
    execFileSync(process.execPath, [tsc, ...project], { stdio: "inherit" });
    const tables = await importTables(declarations, join(root, "src"));
    writeFileSync(join(directory, "index.d.ts"), rollUpTypes(join(declarations, "index.d.ts"), tables));
  } finally {
    rmSync(declarations, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPackage(join(root, "dist"));
  await buildTypes(join(root, "dist"));
  await buildAction(join(root, "action/dist"));
}
