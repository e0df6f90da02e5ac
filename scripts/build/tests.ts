import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const WORKER = fileURLToPath(new URL("../../src/layer/encode/worker.ts", import.meta.url));

/** Starts the thread whose file has to lie beside the compiled code. */
const STARTS_WORKER = /[\\/]src[\\/]layer[\\/]encode[\\/]worker-threads\.ts$/;

/**
 * Makes `import.meta.url` of each module the address of its source, so that the module finds
 * testdata, docs and other sources as it does if tsx loads it.
 */
function keepAddresses(root: string, directory: string): Plugin {
  return {
    name: "keep-addresses",
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const file = STARTS_WORKER.test(path) ? join(directory, "chunk.js") : path;
        const address = `const sourceAddress = ${JSON.stringify(pathToFileURL(file).href)};`;
        const text = await readFile(path, "utf8");
        return { contents: path.startsWith(root) ? address + text : text, loader: "ts" };
      });
    },
  };
}

/**
 * Compiles test files, given as paths relative to `root`, into `directory` and returns the paths of
 * the JavaScript, in the same order. What they share is in chunks, each of which is loaded once.
 */
export async function compileTests(
  root: string,
  directory: string,
  tests: readonly string[],
): Promise<readonly string[]> {
  const names = tests.map((test) => test.replace(/\.ts$/, ""));
  await build({
    absWorkingDir: root,
    entryPoints: [...names.map((name) => ({ in: `${name}.ts`, out: name })), { in: WORKER, out: "worker" }],
    outdir: directory,
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    ignoreAnnotations: true, // "sideEffects" of package.json is about src/, not about test/
    plugins: [keepAddresses(root, directory)],
    define: { "import.meta.url": "sourceAddress" },
    platform: "node",
    format: "esm",
    target: "node20.19",
    keepNames: true, // as tsx does
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
  });
  mkdirSync(directory, { recursive: true });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"), "junction");
  writeFileSync(join(directory, "package.json"), readFileSync(join(root, "package.json")));
  return names.map((name) => join(directory, `${name}.js`));
}
