import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { BUILD_OPTIONS } from "../../../src/commands/build/options.ts";
import { CHECK_OPTIONS } from "../../../src/commands/check/options.ts";
import { DIFF_OPTIONS } from "../../../src/commands/diff/difference.ts";
import { INSPECT_OPTIONS } from "../../../src/commands/inspect/inspection.ts";
import type { OptionTable } from "../../../src/commands/options/read.ts";
import { PUSH_OPTIONS } from "../../../src/commands/push/options.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { type BuildOptions, build, check, diff, inspect, LambdaPackError, push } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

let registry: TestRegistry;
let app: string;
let layout: string;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.13", lambdaBase());
  app = makeTree({ "app.py": "def handler(e, c): pass\n", id_rsa: "x" });
  layout = join(temporaryDirectory(), "image");
  await told((common) =>
    build({
      directory: app,
      base: "scratch",
      to: `oci:${layout}`,
      allowSecret: "id_rsa",
      check: false,
      ...common,
    }),
  );
});
after(() => registry.stop());

/** What every call of these tests has. */
function commonOptions(): { readonly environment: Record<string, string>; readonly cacheDir: string } {
  return {
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` },
    cacheDir: temporaryDirectory(),
  };
}

/** The options that a call says have no effect, each with why. */
async function told(
  call: (
    options: ReturnType<typeof commonOptions> & { onEvent: (event: BuildEvent) => void },
  ) => Promise<unknown>,
): Promise<readonly string[]> {
  const events: BuildEvent[] = [];
  await call({ ...commonOptions(), onEvent: (event) => events.push(event) });
  return events.flatMap((event) =>
    event.type === "warning" && event.message.includes(" has no effect: ") ? [event.message] : [],
  );
}

const onPython = (options: Partial<BuildOptions>) =>
  told((common) =>
    build({
      ...{
        directory: app,
        base: "python:3.13",
        to: `oci:${temporaryDirectory()}/out`,
        allowSecret: "id_rsa",
      },
      ...common,
      ...options,
    }),
  );
const onScratch = (options: Partial<BuildOptions>) => onPython({ base: "scratch", check: false, ...options });
const onFile = (options: Partial<BuildOptions>) =>
  onPython({ base: `oci:${layout}`, check: false, ...options });

const NO_REGISTRY = "no image of this run is in a registry";

/** Each option of build where it changes nothing, and what is said. `always`: it has an effect in every run. */
const CASES: Readonly<
  Record<keyof typeof BUILD_OPTIONS, "always" | readonly [() => Promise<readonly string[]>, string]>
> = {
  directory: "always",
  base: "always",
  arch: "always", // a base for another one is refused
  handler: [
    () => onPython({ handler: "app.handler", cmd: ["app.handler"] }),
    "--handler has no effect: cmd says what starts",
  ],
  extra: "always", // refused without something to install
  group: "always",
  copyFrom: "always",
  add: "always",
  lambdaLayer: "always",
  extension: "always",
  webAdapter: "always",
  runtimeClient: "always",
  install: "always", // as far as a bundle leaves something to install: see below
  bundle: "always",
  file: "always",
  stage: "always", // refused without a Dockerfile
  buildArg: "always", // refused without a Dockerfile
  to: "always",
  tag: "always",
  createRepo: [
    () =>
      onPython({ createRepo: true, dryRun: true, to: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app" }),
    "--create-repo has no effect: a dry run creates nothing",
  ],
  dryRun: "always",
  env: "always",
  envFile: "always",
  label: "always",
  entrypoint: "always",
  cmd: "always",
  workdir: "always",
  target: "always",
  format: "always",
  layer: [
    () =>
      onPython({
        layer: [
          { name: "models", glob: "models/**" },
          { name: "py", glob: "*.py" },
        ],
      }),
    '--layer has no effect: no file is left for "models"',
  ],
  exclude: [
    () => onPython({ exclude: ["test/**", "id_rsa", "!app.py"], allowSecret: [] }),
    '--exclude has no effect: "test/**" leaves out no file',
  ],
  ignoreFile: "always", // beside bundle: see below
  ownFiles: "always",
  omitDev: [
    () => onPython({ omitDev: true }),
    "--omit-dev has no effect: node_modules/.package-lock.json, which npm writes, is not there",
  ],
  allowSecret: [
    () => onPython({ allowSecret: ["id_rsa", "app.py", ".env"] }),
    '--allow-secret has no effect: no secret was found in "app.py", ".env"',
  ],
  level: "always",
  reuseFrom: "always", // refused without a cache; warned of where there is no such image
  check: "always",
  allow: [
    () => onPython({ allow: "handler", check: false }),
    "--allow has no effect: the checks are skipped",
  ],
  deep: [
    () => onScratch({ deep: true, check: true, allow: ["runtime-client", "entrypoint"], dryRun: true }),
    "--deep has no effect: scratch has no files",
  ],
  snapstart: "always",
  lock: [() => onScratch({ lock: true }), "--lock has no effect: scratch is not an image"],
  lockFile: "always", // where a lock is looked for
  updateBase: [() => onScratch({ updateBase: true }), "--update-base has no effect: scratch is not an image"],
  locked: [
    () => onFile({ locked: true }),
    "--locked has no effect: only a base in a registry has a tag to lock",
  ],
  jobs: "always",
  cacheDir: [() => onPython({ cache: false }), "--cache-dir has no effect: there is no cache"],
  cache: "always",
  offline: "always", // a promise that is kept
  insecureRegistry: [
    () => onScratch({ insecureRegistry: "r.example" }),
    `--insecure-registry has no effect: ${NO_REGISTRY}`,
  ],
  registryTimeout: [() => onFile({ registryTimeout: 9 }), `--registry-timeout has no effect: ${NO_REGISTRY}`],
  trustRealm: [() => onScratch({ trustRealm: "r.example" }), `--trust-realm has no effect: ${NO_REGISTRY}`],
  allowPrivate: [
    () => onScratch({ allowPrivate: "r.example" }),
    `--allow-private has no effect: ${NO_REGISTRY}`,
  ],
  environment: "always",
  onEvent: "always",
  signal: "always",
};

describe("an option of build that changes nothing is told: ", () => {
  for (const [name, found] of Object.entries(CASES)) {
    if (found === "always") continue;
    const [call, message] = found;
    it(`${name}: ${message}`, async () => {
      const messages = await call().catch((error: unknown) => {
        throw error instanceof LambdaPackError ? new Error(`${error.message}; ${error.hint}`) : error;
      });
      assert.ok(messages.includes(message), messages.join("\n"));
    });
  }

  it("all options together over a base in a registry are silent", async () => {
    const messages = await onPython({
      ...{
        handler: "app.handler",
        lock: true,
        lockFile: join(temporaryDirectory(), "lock"),
        allow: "base-support",
      },
      ...{ layer: [{ name: "py", glob: "*.py" }], exclude: "id_rsa", allowSecret: [], registryTimeout: 60 },
      ...{ insecureRegistry: registry.host, trustRealm: "r.example", allowPrivate: "r.example" },
    });
    assert.deepEqual(messages, []);
  });

  it("each allowed rule that the image does not break, and none that a build does not run", async () => {
    const allow = ["size", "runtime-client", "handler", "ballast", "base-behind"];
    assert.deepEqual(await onScratch({ check: true, allow, dryRun: true }), [
      "--allow size has no effect: the image does not break that rule",
      "--allow handler has no effect: the image does not break that rule",
    ]);
    const source = { source: app, base: "scratch", allow: ["size"] };
    assert.deepEqual(await told((common) => check({ ...common, ...source })), [
      "--allow size has no effect: the image does not break that rule",
    ]);
  });

  it("lock beside updateBase, and a base that is named by its digest", async () => {
    const lockFile = join(temporaryDirectory(), "lock");
    assert.deepEqual(await onPython({ lock: true, updateBase: true, lockFile }), [
      "--lock has no effect: updateBase records it too",
    ]);
    const base = `${registry.host}/lambda/python@${registry.tag("lambda/python", "3.13")}`;
    assert.deepEqual(await onPython({ base, locked: true }), [
      "--locked has no effect: the base is named by its digest",
    ]);
  });

  it("beside bundle, what says which files are packed and what is installed", async () => {
    const directory = makeTree({
      "index.mjs": "export const handler = async () => 1;\n",
      ".ignore": "x\n",
      "package.json": "{}",
      "package-lock.json": '{"lockfileVersion":3,"packages":{"":{}}}',
    });
    const given = {
      directory,
      bundle: true,
      omitDev: true,
      ignoreFile: join(directory, ".ignore"),
      install: true,
    };
    const onlyImports = "has no effect: a bundle has only what the handler imports";
    assert.deepEqual(await onScratch({ ...given, allowSecret: [] }), [
      "--install has no effect: the bundle has all of its packages",
      `--ignore-file ${onlyImports}`,
      `--omit-dev ${onlyImports}`,
    ]);
  });

  it("what was not given, or is off, is not told", async () => {
    assert.deepEqual(await onScratch({ lock: false, insecureRegistry: [], deep: false }), []);
  });
});

/** The options that say something about a directory, on an image. */
const ON_IMAGE: Readonly<Record<string, unknown>> = {
  base: "python:3.13",
  handler: "app.handler",
  file: "Dockerfile",
  stage: "one",
  buildArg: { A: "1" },
  env: { A: "1" },
  envFile: "vars",
  label: { a: "1" },
  entrypoint: ["x"],
  cmd: ["x"],
  workdir: "/x",
  target: "/x",
  layer: [{ name: "a", glob: "b" }],
  exclude: "x",
  ignoreFile: "x",
  ownFiles: ["x"],
  omitDev: true,
  allowSecret: "x",
  lockFile: "x",
  install: "auto",
  bundle: true,
  format: "oci",
  extra: "x",
  group: "x",
  copyFrom: "r.example/a:1:/x:/y",
  add: "x:/y",
  lambdaLayer: "x.zip",
  extension: "x",
  webAdapter: true,
  runtimeClient: true,
};

describe("an option that says nothing about an image is told by", () => {
  it("check, each that is for directories", async () => {
    const source = `oci:${layout}`;
    const messages = await told((common) => check({ source, ...common, ...ON_IMAGE }));
    assert.deepEqual(
      new Set(
        messages.map(
          (message) => /^--(\S+) has no effect: the source is an image, not a directory$/.exec(message)?.[1],
        ),
      ),
      new Set(
        Object.keys(ON_IMAGE).map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)),
      ),
    );
  });

  it("check, the wish to ask for the base offline", async () => {
    const source = `oci:${layout}`;
    assert.deepEqual(await told((common) => check({ source, ...common, askBase: true, offline: true })), [
      "--ask-base has no effect: offline, no registry is asked",
    ]);
  });

  it("check of a directory, as by a build", async () => {
    assert.deepEqual(
      await told((common) => check({ source: app, base: "scratch", exclude: "x", ...common })),
      ['--exclude has no effect: "x" leaves out no file'],
    );
  });

  for (const [name, call] of Object.entries({
    push: (options: object) =>
      push({ source: `oci:${layout}`, to: `oci:${temporaryDirectory()}/copy`, ...options }),
    inspect: (options: object) => inspect({ source: `oci:${layout}`, ...options }),
    diff: (options: object) => diff({ before: `oci:${layout}`, after: `oci:${layout}`, ...options }),
  })) {
    it(`${name}, those about registries if there is none`, async () => {
      const given = { registryTimeout: 9, insecureRegistry: "a", trustRealm: "a", allowPrivate: "a" };
      const messages = await told((common) => call({ ...common, ...given }));
      assert.equal(messages.length, 4, messages.join("\n"));
      assert.ok(messages.every((message) => message.endsWith(NO_REGISTRY)));
    });
  }

  it("a rule of its own in every table, or none on purpose", () => {
    const tables: OptionTable = { ...PUSH_OPTIONS, ...INSPECT_OPTIONS, ...DIFF_OPTIONS, ...CHECK_OPTIONS };
    const ruled = Object.entries(tables).flatMap(([name, option]) => (option.noEffect ? [name] : []));
    const expected = [...Object.keys(ON_IMAGE), "allow", "askBase", "deep"];
    const ofSession = ["cacheDir", "insecureRegistry", "registryTimeout", "trustRealm", "allowPrivate"];
    assert.deepEqual(new Set(ruled), new Set([...expected, ...ofSession]));
  });
});
