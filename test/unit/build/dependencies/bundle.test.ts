import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadEsbuild } from "../../../../src/commands/build/bundle/bundle.ts";
import type { BuildOptions } from "../../../../src/index.ts";
import { codeOf } from "../../../support/errors.ts";
import { lockedAs, npmRegistry, testPackage } from "../../../support/http/npm-registry.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { buildToLayout, filesInLayout, type LayerFile } from "../../../support/images/built-layout.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  for (const [name, tag] of [
    ["nodejs", "22"],
    ["nodejs", "16"],
    ["python", "3.12"],
  ] as const)
    await publishBase(registry, `lambda/${name}`, tag, lambdaBase("x86_64"));
});
after(() => registry.stop());

async function run(directory: string, options: Partial<BuildOptions> = {}) {
  const built = await buildToLayout(registry, { directory, base: "nodejs:22", bundle: true, ...options });
  const files = await filesInLayout(built.layout);
  return { ...built, files, paths: [...files.keys()].sort() };
}

/** Writes the files of an image, and gives what its handler returns. */
function answerOf(files: ReadonlyMap<string, LayerFile>, file: string, name = "handler"): unknown {
  const root = temporaryDirectory();
  for (const [path, { text }] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const module = JSON.stringify(join(root, "var/task", file));
  const code = `const m = await import(${module}); console.log(JSON.stringify(await m.${name}({})))`;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }),
  );
}

const HANDLER =
  'import { word } from "./word";\nexport const handler = async (): Promise<string> => word();\n';
const TYPESCRIPT: Tree = {
  "package.json": "{}",
  "README.md": "not packed",
  "src/app.ts": HANDLER,
  "src/word.ts": 'import { pure } from "pure";\nexport function word(): string { return pure + "!"; }\n',
  "node_modules/pure/package.json": '{"name":"pure","version":"1.0.0"}',
  "node_modules/pure/index.js": 'exports.pure = "pure";\n',
};

/** `addon` has a `.node` file and needs `helper`, of which the project has another version at the top. */
const NATIVE: Tree = {
  "package.json": "{}",
  "app.ts":
    'import { addon } from "addon";\nimport { v } from "helper";\nexport const handler = async () => [addon, v];\n',
  "node_modules/addon/package.json": '{"name":"addon","version":"1.2.0","dependencies":{"helper":"1"}}',
  "node_modules/addon/index.js": 'exports.addon = require("helper").v;\n',
  "node_modules/addon/build/addon.node": "machine code",
  "node_modules/addon/node_modules/helper/package.json": '{"name":"helper","version":"1.0.0"}',
  "node_modules/addon/node_modules/helper/index.js": "exports.v = 1;\n",
  "node_modules/helper/package.json": '{"name":"helper","version":"2.0.0"}',
  "node_modules/helper/index.js": "exports.v = 2;\n",
};

describe("build with bundle", () => {
  it("packs one file and its source map for a TypeScript handler, and names it in CMD", async () => {
    const { files, paths, handler, events } = await run(makeTree(TYPESCRIPT), { handler: "src/app.handler" });
    assert.deepEqual(paths, ["var/task/app.js", "var/task/app.js.map"]);
    assert.equal(handler, "app.handler");
    assert.equal(answerOf(files, "app.js"), "pure!");
    const collected = events.find(({ type }) => type === "files-collected");
    assert.doesNotMatch(JSON.stringify(collected), /bundle/);
  });

  it("gives the same digest from another directory, and no absolute path in the bundle or its map", async () => {
    const handler = "src/app.handler";
    const [one, other] = [makeTree(TYPESCRIPT), makeTree(TYPESCRIPT)];
    const first = await run(one, { handler });
    const second = await run(other, { handler, cache: false });
    assert.equal(first.digest, second.digest);
    const text = [...first.files.values()].map((file) => file.text).join("\n");
    for (const path of [one, "/tmp/", process.cwd()]) assert.ok(!text.includes(path), path);
    const map = JSON.parse(first.files.get("var/task/app.js.map")?.text ?? "");
    assert.deepEqual(map.sources.sort(), ["node_modules/pure/index.js", "src/app.ts", "src/word.ts"]);
  });

  it("makes an ES module of a module, in which packages in CommonJS can require and the source too", async () => {
    const { files, paths } = await run(
      makeTree({
        ...TYPESCRIPT,
        "package.json": '{"type":"module"}',
        "index.ts":
          'import { createRequire } from "node:module";\nimport { name } from "old";\nconst require = createRequire(import.meta.url);\nexport const handler = async () => [name, await Promise.resolve(require("node:path").sep)];\n',
        "node_modules/old/package.json": '{"name":"old","version":"1.0.0"}',
        "node_modules/old/index.js": 'exports.name = require("node:path").basename("/a/old");\n',
      }),
    );
    assert.deepEqual(paths, ["var/task/index.mjs", "var/task/index.mjs.map"]);
    assert.deepEqual(answerOf(files, "index.mjs"), ["old", "/"]);
  });

  it("honours tsconfig.json", async () => {
    const { files } = await run(
      makeTree({
        "tsconfig.json": '{"compilerOptions":{"paths":{"@lib/*":["./lib/*"]}}}',
        "lib/one.ts": "export const one: number = 1;\n",
        "app.ts": 'import { one } from "@lib/one";\nexport const handler = async () => one;\n',
      }),
    );
    assert.equal(answerOf(files, "app.js"), 1);
  });

  it("compiles JSX and decorators as tsconfig.json says", async () => {
    const compilerOptions = { jsx: "react", jsxFactory: "h", experimentalDecorators: true };
    const { files } = await run(
      makeTree({
        "tsconfig.json": JSON.stringify({ compilerOptions }),
        "view.tsx": "const h = (tag: string) => tag;\nexport const view = () => <b />;\n",
        "app.ts":
          'import { view } from "./view";\nconst seen: string[] = [];\nconst note = (_: object, name: string) => { seen.push(name); };\nclass A { @note run() {} }\nexport const handler = async () => [view(), ...seen, typeof A];\n',
      }),
    );
    assert.deepEqual(answerOf(files, "app.js"), ["b", "run", "function"]);
  });

  it("waits for await at the top of a module, and says how a script becomes one", async () => {
    const app: Tree = {
      "app.ts": "const one = await Promise.resolve(1);\nexport const handler = async () => one;\n",
    };
    const { files } = await run(makeTree({ ...app, "package.json": '{"type":"module"}' }));
    assert.equal(answerOf(files, "app.mjs"), 1);
    await assert.rejects(
      run(makeTree({ ...app, "package.json": "{}" })),
      codeOf("BUNDLE_FAILED", /app\.ts:1:13: Top-level await/, /^make it an ES module: "type": "module"/),
    );
  });

  it("names the source files of the project in the source map, with what they hold", async () => {
    const { files } = await run(makeTree(TYPESCRIPT), { handler: "src/app.handler" });
    const { sources, sourcesContent } = JSON.parse(files.get("var/task/app.js.map")?.text ?? "{}");
    assert.deepEqual(sources, ["node_modules/pure/index.js", "src/app.ts", "src/word.ts"]);
    assert.equal(sourcesContent[1], HANDLER);
  });

  it("bundles a workspace with the esbuild, the tsconfig.json and the packages of the directory above it", async () => {
    const above = makeTree({
      "package.json": '{"workspaces":["packages/*"]}',
      "tsconfig.base.json": '{"compilerOptions":{"jsx":"react","jsxFactory":"h"}}',
      "node_modules/pure/package.json": '{"name":"pure"}',
      "node_modules/pure/index.js": 'exports.pure = "pure";\n',
      "node_modules/lib": { link: "../packages/lib" },
      "packages/lib/package.json": '{"name":"lib","main":"lib.ts"}',
      "packages/lib/lib.ts": "export const lib: number = 2;\n",
      "packages/api/package.json": "{}",
      "packages/api/tsconfig.json": '{"extends":"../../tsconfig.base.json"}',
      "packages/api/app.tsx":
        'import { lib } from "lib";\nimport { pure } from "pure";\nconst h = (tag: string) => tag;\nexport const handler = async () => [<b />, pure, lib];\n',
    });
    const { files } = await run(join(above, "packages/api"), { handler: "app.handler" });
    assert.deepEqual(answerOf(files, "app.js"), ["b", "pure", 2]);
    const old = 'exports.version = "0.14.54";\n';
    const own = makeTree({
      "node_modules/esbuild/package.json": '{"name":"esbuild","main":"main.js"}',
      "node_modules/esbuild/main.js": old,
      "packages/api/package.json": "{}",
    });
    assert.throws(
      () => loadEsbuild([join(own, "packages/api/package.json"), import.meta.url]),
      codeOf("BUNDLE_FAILED", /esbuild 0\.14\.54 is too old/, /esbuild@latest/),
    );
  });

  it("writes the language for the base's Node", async () => {
    const app = makeTree({
      "app.js": "exports.handler = async () => { class A { static { A.x = 1; } } return A.x; };\n",
    });
    const [old, current] = [await run(app, { base: "nodejs:16", check: false }), await run(app)];
    const textOf = ({ files }: typeof old) => files.get("var/task/app.js")?.text ?? "";
    assert.match(textOf(current), /static \{/);
    assert.doesNotMatch(textOf(old), /static \{/);
    assert.equal(answerOf(old.files, "app.js"), 1);
  });

  it("keeps a package with native code out of the bundle, and packs it from node_modules with what it needs", async () => {
    const { files, paths } = await run(makeTree(NATIVE), { check: false });
    assert.deepEqual(paths, [
      "var/task/app.js",
      "var/task/app.js.map",
      "var/task/node_modules/addon/build/addon.node",
      "var/task/node_modules/addon/index.js",
      "var/task/node_modules/addon/package.json",
      "var/task/node_modules/helper/index.js",
      "var/task/node_modules/helper/package.json",
    ]);
    assert.deepEqual(answerOf(files, "app.js"), [1, 2]);
  });

  it("packs packages with native code that pnpm linked into node_modules", async () => {
    const store = "node_modules/.pnpm/addon@1.2.0/node_modules";
    const { files, paths } = await run(
      makeTree({
        "app.ts": 'import { addon } from "addon";\nexport const handler = async () => addon;\n',
        [`${store}/addon/package.json`]: '{"name":"addon","version":"1.2.0","dependencies":{"helper":"1"}}',
        [`${store}/addon/index.js`]: 'exports.addon = require("helper").v;\n',
        [`${store}/addon/addon.node`]: "machine code",
        "node_modules/.pnpm/helper@1.0.0/node_modules/helper/package.json": '{"name":"helper"}',
        "node_modules/.pnpm/helper@1.0.0/node_modules/helper/index.js": "exports.v = 1;\n",
        [`${store}/helper`]: { link: "../../helper@1.0.0/node_modules/helper" },
        "node_modules/addon": { link: ".pnpm/addon@1.2.0/node_modules/addon" },
      }),
      { check: false },
    );
    assert.ok(paths.includes("var/task/node_modules/helper/index.js"), paths.join());
    assert.equal(answerOf(files, "app.js"), 1);
  });

  it("refuses a package with native code that is needed in two versions", async () => {
    const manifest = (version: string) =>
      `{"name":"addon","version":"${version}","scripts":{"install":"make"}}`;
    const app = makeTree({
      "app.js": 'require("addon");\nrequire("other");\nexports.handler = async () => 1;\n',
      "node_modules/addon/package.json": manifest("1.0.0"),
      "node_modules/addon/index.js": "",
      "node_modules/other/package.json": '{"name":"other"}',
      "node_modules/other/index.js": 'require("addon");\n',
      "node_modules/other/node_modules/addon/package.json": manifest("2.0.0"),
      "node_modules/other/node_modules/addon/index.js": "",
    });
    await assert.rejects(
      run(app),
      codeOf("BUNDLE_FAILED", /addon has native code and is needed in two versions, 1\.0\.0 and 2\.0\.0/),
    );
  });

  it("packs a .node file of the application beside the bundle", async () => {
    const { paths, files } = await run(
      makeTree({
        "src/app.js": 'exports.handler = async () => require("./own.node");\n',
        "src/own.node": "machine code",
      }),
      { handler: "src/app.handler", check: false },
    );
    const own = paths.find((path) => path.endsWith(".node"))?.replace("var/task/", "./") ?? "missing";
    assert.ok(files.get("var/task/app.js")?.text.includes(`require("${own}")`), paths.join());
  });

  it("cancels esbuild, and ends as ABORTED, when the caller's signal aborts during the bundling", async () => {
    // An esbuild that tells when it has started, and works until it is cancelled.
    const endless = `exports.context = async () => {
      let cancel;
      const canceled = new Promise((_, reject) => { cancel = () => reject(new Error("canceled")); });
      return { rebuild() { process.emit("endless-bundle"); return canceled; }, cancel, async dispose() {} };
    };`;
    const app = makeTree({
      ...TYPESCRIPT,
      "node_modules/esbuild/package.json": '{"name":"esbuild"}',
      "node_modules/esbuild/index.js": endless,
    });
    const controller = new AbortController();
    EventEmitter.prototype.once.call(process, "endless-bundle", () => controller.abort());
    await assert.rejects(
      run(app, { handler: "src/app.handler", signal: controller.signal }),
      codeOf("ABORTED", /(?:)/),
    );
  });

  it("keeps a package with an install script out of the bundle", async () => {
    const { paths } = await run(
      makeTree({
        "app.js": 'exports.handler = async () => require("made").made;\n',
        "node_modules/made/package.json": '{"name":"made","version":"1.0.0","scripts":{"install":"make"}}',
        "node_modules/made/index.js": "exports.made = 1;\n",
      }),
    );
    assert.ok(paths.includes("var/task/node_modules/made/index.js"), paths.join());
  });

  it("installs with install only the packages that the bundle leaves out", async (t) => {
    const made = await testPackage("made", "1.0.0", { "index.js": "exports.made = 'locked';\n" });
    const pure = await testPackage("pure", "1.0.0", { "index.js": "exports.pure = 1;\n" });
    const { url } = await npmRegistry(t, [made, pure]);
    const dependencies = { made: "1.0.0", pure: "1.0.0" };
    const tree: Tree = {
      "app.js": 'exports.handler = async () => [require("made").made, require("pure").pure];\n',
      "package.json": JSON.stringify({ dependencies }),
      "package-lock.json": JSON.stringify({
        lockfileVersion: 3,
        packages: {
          "": { dependencies },
          "node_modules/made": lockedAs(made, { hasInstallScript: true }),
          "node_modules/pure": lockedAs(pure, {}),
        },
      }),
      ".npmrc": `registry=${url}\n`,
      "node_modules/made/package.json": '{"name":"made","version":"1.0.0","scripts":{"install":"make"}}',
      "node_modules/made/index.js": "exports.made = 'host';\n",
      "node_modules/pure/package.json": '{"name":"pure","version":"1.0.0"}',
      "node_modules/pure/index.js": "exports.pure = 1;\n",
    };
    const { files, paths } = await run(makeTree(tree), { install: true });
    assert.deepEqual(paths, [
      "var/task/app.js",
      "var/task/app.js.map",
      "var/task/node_modules/made/index.js",
      "var/task/node_modules/made/package.json",
    ]);
    assert.deepEqual(answerOf(files, "app.js"), ["locked", 1]);
    const stale = {
      ...tree,
      "node_modules/made/package.json": '{"version":"0.9.0","scripts":{"install":"make"}}',
    };
    await assert.rejects(
      run(makeTree(stale), { install: true }),
      codeOf("LOCK_INVALID", /made 1\.0\.0, and the source was bundled with 0\.9\.0/),
    );
  });

  it("fails with file, line and column of each of esbuild's errors", async () => {
    const broken = makeTree({
      "app.ts": 'import "./missing";\nexport const handler = async () => 1;\n\nexport const x = "./a" +;\n',
    });
    await assert.rejects(run(broken), codeOf("BUNDLE_FAILED", /^app\.ts cannot be bundled: app\.ts:4:25: /));
    const missing = makeTree({ "app.ts": '  import "absent";\nexport const handler = async () => 1;\n' });
    await assert.rejects(run(missing), codeOf("BUNDLE_FAILED", /app\.ts:1:10: Could not resolve "absent"/));
  });

  it("fails if the handler names no source file, and if no usual one exists", async () => {
    const app = makeTree(TYPESCRIPT);
    await assert.rejects(
      run(app, { handler: "src/other.handler" }),
      codeOf("HANDLER_NOT_FOUND", /src\/other/),
    );
    await assert.rejects(
      run(app, { handler: "../app.handler" }),
      codeOf("HANDLER_NOT_FOUND", /names no file/),
    );
    await assert.rejects(run(app), codeOf("HANDLER_NOT_FOUND", /no index or app/));
  });

  it("refuses a base without Node.js", async () => {
    await assert.rejects(
      run(makeTree(TYPESCRIPT), { base: "python:3.12", handler: "src/app.handler" }),
      codeOf("USAGE", /has no Node\.js/),
    );
  });

  it("takes the project's esbuild first, and names the install command if there is none", () => {
    const own = makeTree({
      "node_modules/esbuild/package.json": '{"name":"esbuild","main":"main.js"}',
      "node_modules/esbuild/main.js": 'exports.version = "own"; exports.context = () => {};\n',
    });
    const none = temporaryDirectory();
    const places = [own, none].map((directory) => join(directory, "package.json"));
    assert.equal(loadEsbuild([...places, import.meta.url]).version, "own");
    assert.notEqual(loadEsbuild([join(none, "package.json"), import.meta.url]).version, "own");
    assert.throws(
      () => loadEsbuild([join(none, "package.json")]),
      codeOf("BUNDLE_FAILED", /needs esbuild/, /^npm install --save-dev esbuild$/),
    );
  });
});
