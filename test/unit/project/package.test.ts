import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { thirdParty } from "../../../scripts/build/third-party.ts";
import { buildPackage } from "../../../scripts/build.ts";
import * as index from "../../../src/index.ts";
import { TestRegistry } from "../../support/registry.ts";
import { type Ran, tryRun } from "../../support/run.ts";
import { makeTree, temporaryFolder } from "../../support/trees.ts";

/** As it is published, in a folder where no dependency is installed. */
const root = temporaryFolder();
const described = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
writeFileSync(join(root, "package.json"), described);
await buildPackage(join(root, "dist"));
const published = JSON.parse(described);

const registry = await TestRegistry.start();
after(() => registry.stop());

const app = makeTree({ "index.mjs": "export const handler = async () => 1;\n" });
const cache = temporaryFolder();

function lambdaPack(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const command = [join(root, published.bin["lambda-pack"]), ...args];
  return tryRun(process.execPath, command, { env: { LAMBDA_PACK_CACHE_DIR: cache, ...env } });
}

const building = (folder: string, to: string) =>
  [
    "build",
    folder,
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
  it("builds into a registry, and brings along all that it takes", async () => {
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
      cacheDirectory: cache,
    });
    assert.equal(stdout, `${registry.host}/app@${digest}\n`);
  });

  it("makes a spinner on a terminal, and a tunnel through a proxy", async () => {
    const code = `Promise.all(["ora", "hpagent", "got"].map((name) => import(${JSON.stringify(join(root, "dist/vendor/"))} + name + ".cjs")))
      .then(([{ default: ora }, { HttpsProxyAgent }, { got }]) => console.log([ora, HttpsProxyAgent, got.stream].map((one) => typeof one).join()));`;
    const { stdout } = await tryRun(process.execPath, ["-e", code]);
    assert.equal(stdout, "function,function,function\n");
  });

  it("loads no HTTP/2 with got, and says what got says", async () => {
    const code = (name: string) => `import(${JSON.stringify(name)}).then(({ got }) => {
        const loaded = process.moduleLoadList.includes("NativeModule http2");
        try { got.extend({ prefixUrl: 5 }); } catch ({ message }) { console.log(JSON.stringify({ loaded, message })); }
      });`;
    const ask = async (name: string) =>
      JSON.parse((await tryRun(process.execPath, ["-e", code(name)])).stdout) as Readonly<
        Record<string, unknown>
      >;
    const installed = await ask(import.meta.resolve("got"));
    assert.equal(installed["loaded"], true);
    assert.match(String(installed["message"]), /`string`.* or `URL`/);
    const ours = await ask(join(root, "dist/vendor/got.cjs"));
    assert.deepEqual(ours, { loaded: false, message: installed["message"] });
  });

  it("says its version", async () => {
    assert.equal((await lambdaPack(["--version"])).stdout, `${published.version}\n`);
  });

  it("prints the help of a command", async () => {
    assert.match((await lambdaPack(["build", "--help"])).stdout, /^lambda-pack build:/);
  });

  it("the built command writes nothing beside its program, where another user could change it", async () => {
    const files = () => readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).sort();
    const before = files();
    await lambdaPack(["--version"]);
    assert.deepEqual(files(), before);
  });

  it("names our sources in the stack traces of --verbose", async () => {
    const { stderr } = await lambdaPack(["build", join(app, "missing"), "--base", "scratch", "--verbose"]);
    assert.match(stderr, /src\/layer\/places\.ts:\d+/);
  });

  it("hashes on a thread beside, from a file that is there", async () => {
    const large = makeTree({ "index.mjs": "0;\n", "data.bin": Buffer.alloc(4 * 1024 * 1024, "text ") });
    const { stderr } = await lambdaPack(building(large, `oci:${join(temporaryFolder(), "out")}`), {
      NODE_DEBUG: "worker",
    });
    const [, file = ""] = /starts worker script (\S+\.js)/.exec(stderr) ?? [];
    assert.ok(existsSync(file), stderr);
  });

  it("gives programs what src/index.ts gives", async () => {
    const library = await import(pathToFileURL(join(root, published.exports["."].default)).href);
    assert.deepEqual(Object.keys(library).sort(), Object.keys(index).sort());
    const to = `oci:${join(temporaryFolder(), "out")}`;
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

  it("keeps the licences of what it brings along", () => {
    const text = readFileSync(join(root, "dist/THIRD-PARTY.txt"), "utf8");
    for (const name of ["got", "hpagent", "ora", "p-limit", "http-cache-semantics"]) {
      assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\([\\w-]+\\)$`, "m"));
    }
  });
});

it("a package without a licence is not brought along", () => {
  const folder = makeTree({ "node_modules/x/package.json": '{"name":"x","version":"1.0.0"}' });
  assert.throws(() => thirdParty(folder, ["node_modules/x/index.js"]), /x 1\.0\.0 has no licence/);
});
