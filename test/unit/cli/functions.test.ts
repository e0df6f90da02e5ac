import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { screen } from "../../support/cli/cli.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { PROGRAM, tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"));
});
after(() => registry.stop());

/** The whole command line with the library behind it, on a project with two functions. */
function project() {
  const root = makeTree({
    "api/index.mjs": "export const handler = () => 1;\n",
    "worker/index.mjs": "export const handler = () => 2;\n",
    "lambda-pack.jsonc": JSON.stringify({
      defaults: { base: "nodejs:22", directory: "{name}", to: `${registry.host}/{name}:v1` },
      functions: { api: {}, worker: {} },
    }),
  });
  const environment = {
    LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
    LAMBDA_PACK_CACHE_DIR: temporaryDirectory(),
    LAMBDA_PACK_CONFIG: join(root, "lambda-pack.jsonc"),
    HOME: temporaryDirectory(),
  };
  const run = async (...argv: readonly string[]) => {
    const [stdout, stderr] = [screen(), screen()];
    const status = await main(argv, {
      ...{ stdout, stderr, environment },
      signals: process,
      exit: () => undefined,
      now: () => performance.now(),
      load: () => import("../../../src/cli/api.ts"),
    });
    return { status, stdout: stdout.text(), stderr: stderr.text() };
  };
  return { root, run };
}

describe("the command line with a configuration file", () => {
  it("build --all prints a line for each function, with its image by digest", async () => {
    const { status, stdout, stderr } = await project().run("build", "--all", "--quiet");
    assert.match(stdout, /^api \S+\/api@sha256:[0-9a-f]{64}\nworker \S+\/worker@sha256:[0-9a-f]{64}\n$/);
    assert.deepEqual([status, stderr], [0, ""]);
  });

  it("build NAME builds that function, with flags that win over the file", async () => {
    const { status, stdout } = await project().run(
      "build",
      "worker",
      "--quiet",
      "--to",
      `${registry.host}/x/{name}:v2`,
    );
    assert.match(stdout, /^worker \S+\/x\/worker@sha256:[0-9a-f]{64}\n$/);
    assert.equal(status, 0);
  });

  it("build --json prints one object with the functions by name", async () => {
    const { stdout } = await project().run("build", "--all", "--json", "--quiet");
    const { functions, stats } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(functions), ["api", "worker"]);
    assert.match(functions.api.digest, /^sha256:/);
    assert.equal(typeof stats.ms, "number");
  });

  it("build --filter-changed prints only functions with another image than the registry", async () => {
    const { root, run } = project();
    await run("build", "--all", "--quiet");
    assert.equal((await run("build", "--all", "--filter-changed", "--quiet")).stdout, "");
    writeFileSync(join(root, "api/index.mjs"), "export const handler = () => 3;\n");
    assert.match((await run("build", "--all", "--filter-changed", "--quiet")).stdout, /^api \S+\n$/);
  });

  it("build --all ends with the status of the worst, and prints what was built", async () => {
    const { root, run } = project();
    rmSync(join(root, "worker/index.mjs"));
    mkdirSync(join(root, "worker/empty"));
    writeFileSync(join(root, "worker/other.txt"), "x");
    const { status, stdout, stderr } = await run("build", "--all", "--quiet");
    assert.match(stdout, /^api \S+\n$/);
    assert.match(stderr, /1 of 2 functions failed\n(?:.*\n)*.*worker: /);
    assert.equal(status, 1);
  });

  it("check --all ends with 3 if a function has an error", async () => {
    const { root, run } = project();
    assert.equal((await run("check", "--all", "--quiet")).status, 0);
    const config = {
      defaults: { base: "nodejs:22", directory: "{name}" },
      functions: { api: {}, worker: { handler: "no.no" } },
    };
    writeFileSync(join(root, "lambda-pack.jsonc"), JSON.stringify(config));
    const { status, stdout } = await run("check", "--all", "--quiet");
    assert.match(stdout, /^api\n(?:.*\n)*worker\n/);
    assert.equal(status, 3);
  });

  it("config --print shows what the functions come to", async () => {
    const { root, run } = project();
    const { functions } = JSON.parse((await run("config", "--print", "worker")).stdout);
    assert.deepEqual(Object.keys(functions), ["worker"]);
    assert.equal(functions.worker.directory, join(root, "worker"));
  });

  it("takes a path for a directory, and a word for a function", async () => {
    const { root, run } = project();
    const one = await run(
      "build",
      join(root, "api"),
      "--base",
      "nodejs:22",
      "--to",
      `oci:${join(root, "out")}`,
      "--quiet",
    );
    assert.match(one.stdout, /^oci:\S+\/out@sha256:/);
    const { status, stderr } = await run("build", "apo");
    assert.match(stderr, /has no function apo\n.*fix: did you mean api\?/);
    assert.equal(status, 2);
  });

  it("build DIR has the settings of the function whose directory it is, and flags win over them", async () => {
    const { root, run } = project();
    const built = await run("build", join(root, "worker"), "--env", "A=1", "--quiet");
    assert.equal(built.stdout, `${registry.host}/worker@${registry.tag("worker", "v1")}\n`, built.stderr);
    const other = await run("build", join(root, "worker"), "--to", `${registry.host}/other:v2`, "--quiet");
    assert.match(other.stdout, /\/other@sha256:/);
  });

  it("build DIR of no function has the defaults of the file, with the name of the directory", async () => {
    const { root, run } = project();
    mkdirSync(join(root, "extra"));
    writeFileSync(join(root, "extra/index.mjs"), "export const handler = () => 3;\n");
    const { stdout, stderr } = await run("build", join(root, "extra"), "--quiet");
    assert.equal(stdout, `${registry.host}/extra@${registry.tag("extra", "v1")}\n`, stderr);
  });

  it("build DIR of several functions asks for one of their names", async () => {
    const { root, run } = project();
    const functions = { api: {}, again: { directory: "api" } };
    const defaults = { base: "nodejs:22", directory: "{name}" };
    writeFileSync(join(root, "lambda-pack.jsonc"), JSON.stringify({ defaults, functions }));
    const { status, stderr } = await run("build", join(root, "api"), "--quiet");
    assert.equal(status, 2);
    assert.match(
      stderr,
      /is the directory of api, again in .*\n {2}fix: name one of the functions, for example api/,
    );
  });

  it("check DIR bundles the handler if the file says so, as the build does", async () => {
    const root = makeTree({
      "app/src/api.ts": "export const handler = async (): Promise<number> => 1;\n",
      "lambda-pack.jsonc": JSON.stringify({
        functions: { app: { directory: "app", base: "nodejs:22", handler: "src/api.handler", bundle: true } },
      }),
    });
    const config = join(root, "lambda-pack.jsonc");
    const { status, stdout, stderr } = await project().run("check", join(root, "app"), "--config", config);
    assert.match(stdout, /\(linux\/amd64\): OK/, stderr);
    assert.equal(status, 0);
  });

  it("check DIR has the settings of its function, and check of an image has none", async () => {
    const { root, run } = project();
    const checked = await run("check", join(root, "api"), "--quiet");
    assert.match(checked.stdout, /\(linux\/amd64\): OK/, checked.stderr);
    await run("build", "api", "--quiet");
    const image = await run("check", `${registry.host}/api:v1`);
    assert.doesNotMatch(image.stderr, /has no effect/);
  });

  it("import writes the file from a Dockerfile, and lists what it does not say", async () => {
    const root = makeTree({
      "app/Dockerfile": 'FROM public.ecr.aws/lambda/nodejs:22\nRUN make\nCOPY . .\nCMD ["index.handler"]',
    });
    const argv = [...PROGRAM, "import", "app/Dockerfile"];
    const first = await tryRun(process.execPath, argv, { cwd: root });
    assert.deepEqual([first.status, first.stdout], [0, "lambda-pack.jsonc\n"]);
    assert.match(first.stderr, /^not taken: app\/Dockerfile:2: RUN make: /m);
    const { functions } = JSON.parse(readFileSync(join(root, "lambda-pack.jsonc"), "utf8"));
    assert.deepEqual(functions, { app: { directory: "app", base: "nodejs:22", handler: "index.handler" } });
    const second = await tryRun(process.execPath, argv, { cwd: root });
    assert.match(second.stderr, /lambda-pack\.jsonc exists, and is not replaced/);
    assert.equal(second.status, 2);
  });

  const WRONG: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
    [["build"], /lambda-pack\.jsonc has functions\n.*name some of them, or add --all/],
    [["build", "api", "--all"], /--all and names of functions exclude each other/],
    [["build", "--all", "--config", "none.jsonc"], /none\.jsonc does not exist/],
  ];
  for (const [argv, message] of WRONG)
    it(`refuses ${argv.join(" ")}`, async () => {
      const { status, stderr, stdout } = await project().run(...argv);
      assert.match(stderr, message);
      assert.deepEqual([status, stdout], [2, ""]);
    });
});
