import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as esbuild } from "esbuild";
import { rollUpTypes } from "../../../scripts/build/types.ts";
import { buildPackage, buildTypes } from "../../../scripts/build.ts";
import * as index from "../../../src/index.ts";
import { sampleInspection } from "../../support/cli/inspections.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { type Ran, tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

/** The package as it is published, beside its dependencies. */
const root = temporaryDirectory();
const dependencies = fileURLToPath(new URL("../../../node_modules", import.meta.url));
symlinkSync(dependencies, join(root, "node_modules"));
const described = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
writeFileSync(join(root, "package.json"), described);
const { TESTED_PROGRAM: made } = process.env; // by scripts/test.ts, from the same sources
if (made)
  cpSync(made, join(root, "dist"), {
    recursive: true,
    filter: (name) => !/node_modules|package.json/.test(name),
  });
else await buildPackage(join(root, "dist"));
await buildTypes(join(root, "dist"));
const published = JSON.parse(described);
const bin = join(root, published.bin["lambda-pack"]);

const registry = await TestRegistry.start();
after(() => registry.stop());

const app = makeTree({ "index.mjs": "export const handler = async () => 1;\n" });
const cache = temporaryDirectory();

function lambdaPack(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return tryRun(process.execPath, [bin, ...args], { env: { LAMBDA_PACK_CACHE_DIR: cache, ...env } });
}

const building = (directory: string, to: string) =>
  [
    "build",
    directory,
    "--base",
    "scratch",
    "--cmd",
    "index.handler",
    "--no-check",
    "--to",
    to,
    "--quiet",
  ] as const;

describe("the built package", { concurrency: 3 }, () => {
  it("the library works in a program that esbuild bundled as an ES module", async () => {
    const program = join(root, "program.mjs");
    const to = [`${registry.host}/bundled:v1`, `oci-archive:${join(root, "bundled.tar")}`];
    const options = { directory: app, base: "scratch", cmd: ["index.handler"], check: false, to };
    await esbuild({
      stdin: {
        contents: `import { build } from "./dist/index.js";
          const { destinations } = await build(${JSON.stringify({ ...options, cacheDir: cache })});
          console.log(destinations.length);`,
        resolveDir: root,
      },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile: program,
      logLevel: "silent",
    });
    const { status, stdout, stderr } = await tryRun(process.execPath, [program]);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: "2\n" }, stderr);
  });

  it("the built command pushes an image to a registry", async () => {
    const to = `${registry.host}/app:v1`;
    const { stderr, stdout } = await lambdaPack(building(app, to));
    assert.equal(stderr, "");
    const { digest } = await index.build({
      directory: app,
      base: "scratch",
      cmd: ["index.handler"],
      env: {},
      check: false,
      to,
      cacheDir: cache,
    });
    assert.equal(stdout, `${registry.host}/app@${digest}\n`);
  });

  it("the built command remembers the findings of a check, by its version and its code", async () => {
    const own = join(temporaryDirectory(), "cache");
    const check = building(app, `oci:${join(temporaryDirectory(), "out")}`).filter(
      (word) => word !== "--no-check",
    );
    const allowed = ["--allow", "entrypoint", "--allow", "runtime-client"];
    const { status, stderr } = await lambdaPack([...check, ...allowed, "--cache-dir", own]);
    assert.equal(status, 0, stderr);
    assert.equal(readdirSync(join(own, "findings")).length, 1);
  });

  it("the built command prints the version of package.json", async () => {
    assert.equal((await lambdaPack(["--version"])).stdout, `${published.version}\n`);
  });

  it("the built lambda-pack-docker prints its version", async () => {
    const docker = join(root, published.bin["lambda-pack-docker"]);
    const { stdout, status } = await tryRun(process.execPath, [docker, "--version"]);
    assert.deepEqual([status, stdout], [0, `lambda-pack-docker ${published.version}\n`]);
  });

  it("the built command prints the help of build", async () => {
    assert.match((await lambdaPack(["build", "--help"])).stdout, /^Usage: lambda-pack build /);
  });

  it("the built command writes nothing beside its program, if another user could change it", async () => {
    const files = () => readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).sort();
    const before = files();
    await lambdaPack(["--version"]);
    assert.deepEqual(files(), before);
  });

  it("the built command starts its hashing thread from a file of the package", async () => {
    const large = makeTree({ "index.mjs": "0;\n", "data.bin": Buffer.alloc(4 * 1024 * 1024, "text ") });
    const { stderr } = await lambdaPack(building(large, `oci:${join(temporaryDirectory(), "out")}`), {
      NODE_DEBUG: "worker",
    });
    const [, file = ""] = /starts worker script (\S+\.js)/.exec(stderr) ?? [];
    assert.ok(existsSync(file), stderr);
  });

  it("the built library exports what src/index.ts exports and builds the same image", async () => {
    const library = await import(pathToFileURL(join(root, published.exports["."].default)).href);
    assert.deepEqual(Object.keys(library).sort(), Object.keys(index).sort());
    const to = `oci:${join(temporaryDirectory(), "out")}`;
    const options = {
      directory: app,
      base: "scratch",
      cmd: ["index.handler"],
      check: false,
      to,
      cache: false,
    };
    assert.equal((await library.build(options)).digest, (await index.build(options)).digest);
  });

  it("the built library makes the same page of an inspection as the sources, without esbuild", async () => {
    const library = await import(pathToFileURL(join(root, published.exports["."].default)).href);
    const inspection = sampleInspection({ files: { "var/task/index.mjs": 100 } });
    assert.equal(library.inspectionPage(inspection), index.inspectionPage(inspection));
    const programs = readdirSync(join(root, "dist")).filter((name) => name.endsWith(".js"));
    const importing = programs.filter((name) =>
      /from\s*"esbuild"/.test(readFileSync(join(root, "dist", name), "utf8")),
    );
    assert.deepEqual(importing, []);
  });

  it("the built package has few files: the command, the library, its types and a thread", () => {
    const files = readdirSync(join(root, "dist")).filter((name) => !/^chunk-[A-Z0-9]{8}\.js$/.test(name));
    assert.deepEqual(files.sort(), [
      "bin.cjs",
      "cli.js",
      "docker.cjs",
      "docker.js",
      "index.d.ts",
      "index.js",
      "programs",
      "worker.js",
    ]);
  });

  it("the types of the built package describe what src/index.ts exports, without @types/node", async () => {
    const program = `import * as lambdaPack from "lambda-pack";
import { type BuildEvent, type BuildOptions, build, LambdaPackError } from "lambda-pack";
const options: BuildOptions = {
  directory: ".",
  base: "python:3.12",
  signal: new AbortController().signal,
  onEvent: (event: BuildEvent) => void (event.type === "warning" && event.message.length),
};
build(options)
  .then(({ digest }) => digest satisfies string)
  .catch((error: unknown) => void (error instanceof LambdaPackError && error.code satisfies string));
export const exported: Record<${Object.keys(index)
      .map((name) => JSON.stringify(name))
      .join(" | ")}, unknown> = lambdaPack;
`;
    writeFileSync(join(root, "program.mts"), program);
    const tsc = join(dependencies, "typescript/bin/tsc");
    const flags = ["--noEmit", "--ignoreConfig", "--strict", "--types", "", "--module", "nodenext"];
    const lib = ["--target", "es2023", "--lib", "es2023,dom", "--skipLibCheck", "false"];
    const { stdout, status } = await tryRun(
      process.execPath,
      [tsc, ...flags, ...lib, join(root, "program.mts")],
      { cwd: root },
    );
    assert.deepEqual([stdout, status], ["", 0]);
  });

  it("the types of the built package describe every option of every command to an editor", () => {
    const types = readFileSync(join(root, "dist/index.d.ts"), "utf8");
    const tables = "Build Check Push Deploy Invoke Dev Inspect Diff Prune Status CreateRepository".split(" ");
    for (const name of tables) {
      const pattern = new RegExp(`^interface ${name}Options \\{\\n[^]*?\\n\\}`, "m");
      const lines = pattern.exec(types)?.[0].split("\n") ?? [];
      const bare = lines.filter(
        (line, at) => line.startsWith("    readonly") && !lines[at - 1]?.endsWith("*/"),
      );
      assert.ok(lines.includes("    readonly onEvent?: OnEvent;"), name);
      assert.deepEqual(bare, [], name);
    }
    const lock = "/** true: fail if the tag no longer matches the lock. Default false. */";
    assert.ok(types.includes(`${lock}\n    readonly locked?: boolean;`));
  });

  it("on Node 18 the built command says which Node it needs", async () => {
    const pretend = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "18.20.4" } })`;
    const { stderr, status } = await tryRun(process.execPath, ["--import", pretend, bin, "--version"]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^error: lambda-pack needs Node 20\.19 or newer, and this is Node 18\.20\.4\n {2}fix: /,
    );
  });
});

it("two declarations with one name stop the build of the types", () => {
  const types = makeTree({
    "index.d.ts": 'export { a } from "./a.ts";\nexport { b } from "./b.ts";\n',
    "a.d.ts": "interface Same {\n}\nexport declare function a(): Same;\n",
    "b.d.ts": "interface Same {\n}\nexport declare function b(): Same;\n",
  });
  assert.throws(() => rollUpTypes(join(types, "index.d.ts")), /both declare Same/);
});
