import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { resultJson } from "../../../../src/cli/result.ts";
import { detectBases } from "../../../../src/commands/build/base/detected-base.ts";
import { type BuildEvent, build, buildFunctions, check, LambdaPackError } from "../../../../src/index.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

const PYTHON = "def handler(event, context):\n    return event\n";
const NODE = "export const handler = async (event) => event;\n";
/** The first bytes of a class file of Java 16, for which AWS has no base. */
const CLASS = Buffer.from("cafebabe0000003c", "hex");
const RUNTIME_CONFIG = JSON.stringify({ runtimeOptions: { tfm: "net8.0" } });

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  for (const [name, tag] of [
    ["nodejs", "22"],
    ["python", "3.12"],
  ] as const)
    await publishBase(registry, `lambda/${name}`, tag, lambdaBase());
});
after(() => registry.stop());

function optionsFor(events: BuildEvent[]) {
  return {
    to: `oci:${join(temporaryDirectory(), "out")}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event: BuildEvent) => events.push(event),
  };
}

async function built(tree: Tree, more: object = {}) {
  const events: BuildEvent[] = [];
  const result = await build({ ...optionsFor(events), directory: makeTree(tree), ...more });
  return { result, detected: events.filter((event) => event.type === "base-detected") };
}

async function refusal(work: Promise<unknown>): Promise<LambdaPackError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LambdaPackError);
  return error;
}

describe("the base that a directory's own pin says", () => {
  for (const [title, tree, base, reason] of [
    [
      "engines.node",
      { "package.json": '{"engines":{"node":">=20 <24"}}' },
      "nodejs:22",
      "engines.node >=20 <24 in package.json",
    ],
    [".nvmrc", { "index.mjs": NODE, ".nvmrc": "v22.1.0\n" }, "nodejs:22", "22.1.0 in .nvmrc"],
    [".nvmrc by code name", { "index.mjs": NODE, ".nvmrc": "lts/jod\n" }, "nodejs:22", "22 in .nvmrc"],
    [".node-version", { "package.json": "{}", ".node-version": "22" }, "nodejs:22", "22 in .node-version"],
    [
      "requires-python",
      { "pyproject.toml": '[project]\nrequires-python = ">=3.11,<3.13"\n' },
      "python:3.12",
      "requires-python >=3.11,<3.13 in pyproject.toml",
    ],
    [
      "Poetry's python",
      { "pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.12"\n' },
      "python:3.12",
      "python ~3.12 in pyproject.toml",
    ],
    [
      ".python-version beside requirements.txt",
      { "requirements.txt": "", ".python-version": "# ours\n3.12.4\n" },
      "python:3.12",
      "3.12.4 in .python-version",
    ],
    [
      "Pipfile",
      { Pipfile: '[requires]\npython_version = "3.12"\n' },
      "python:3.12",
      "python_version 3.12 in Pipfile",
    ],
    [".ruby-version", { Gemfile: "", ".ruby-version": "ruby-3.4.1\n" }, "ruby:3.4", "3.4.1 in .ruby-version"],
    [
      ".tool-versions of asdf",
      { "index.mjs": NODE, ".tool-versions": "# ours\npython 3.9.1\nnodejs  22.1.0 20.0.0 # both\n" },
      "nodejs:22",
      "22.1.0 in .tool-versions",
    ],
    [
      ".tool-versions of mise, which writes node",
      { "index.mjs": NODE, ".tool-versions": "node lts-jod\n" },
      "nodejs:22",
      "22 in .tool-versions",
    ],
    [
      "mise.toml",
      { "app.py": PYTHON, "mise.toml": '[tools]\npython = "3.12"\nnode = "latest"\n' },
      "python:3.12",
      "3.12 in mise.toml",
    ],
    [
      ".mise.toml with a list of versions",
      { "app.py": PYTHON, ".mise.toml": '[tools]\npython = [{ version = "3.12.4" }, "3.11"]\n' },
      "python:3.12",
      "3.12.4 in .mise.toml",
    ],
    [
      "every pin at once",
      {
        ...{ "index.mjs": NODE, "package.json": '{"engines":{"node":">=20"}}' },
        ...{ ".tool-versions": "nodejs 22", "mise.toml": '[tools]\nnode = "22.1"\n' },
      },
      "nodejs:22",
      "engines.node >=20 in package.json and 22 in .tool-versions and 22.1 in mise.toml",
    ],
    ["the Gemfile's ruby", { Gemfile: 'ruby "~> 3.4.0"\n' }, "ruby:3.4", "ruby ~> 3.4.0 in Gemfile"],
    [
      "runtimeconfig.json",
      { "App.runtimeconfig.json": RUNTIME_CONFIG },
      "dotnet:8",
      ".NET 8 in App.runtimeconfig.json",
    ],
    [
      "the version of class files, for which the next base is taken",
      { "com/example/App.class": CLASS },
      "java:17.al2023",
      "classes compiled for Java 16",
    ],
  ] as const) {
    it(`the base that a directory's own pin says is taken from ${title}`, () => {
      const found = detectBases(makeTree(tree));
      assert.deepEqual(
        found.map((one) => [one.base, one.reason]),
        [[base, reason]],
      );
    });
  }

  it("the base that a directory's own pin says is that of Node.js for a bundle, whatever else is there", () => {
    const directory = makeTree({ "src/index.ts": "", "tool.py": "", ".nvmrc": "22" });
    assert.deepEqual(
      detectBases(directory, true).map(({ base }) => base),
      ["nodejs:22"],
    );
  });

  it("the base that a directory's own pin says is not read from words that name no version, nor for .NET and Java from their compilers", () => {
    const choices = [
      { "index.mjs": NODE, ".tool-versions": "nodejs lts\n", "mise.toml": '[tools]\nnode = "latest"\n' },
      { "App.runtimeconfig.json": RUNTIME_CONFIG, ".tool-versions": "dotnet 9.0.100\n" },
    ].map((tree) => detectBases(makeTree(tree)).map(({ reason }) => reason));
    assert.match(String(choices[0]), /^index\.mjs, and it is the newest that AWS supports$/);
    assert.deepEqual(choices[1], [".NET 8 in App.runtimeconfig.json"]);
  });

  it("the base that a directory's own pin says is not read from installed packages and virtual environments", () => {
    const names = { "node_modules/a/package.json": "{}", "venv/a.py": "", "vendor/a.class": CLASS };
    assert.deepEqual(
      detectBases(makeTree({ ...names, bootstrap: "" })).map(({ base }) => base),
      ["provided:al2023"],
    );
  });
});

describe("build without a base", () => {
  it("builds on the detected base, and says which and why in an event and in --json", async () => {
    const { result, detected } = await built({
      "index.mjs": NODE,
      "package.json": '{"engines":{"node":"22"}}',
    });
    const reason = "engines.node 22 in package.json";
    assert.deepEqual(detected, [{ type: "base-detected", base: "nodejs:22", reason }]);
    assert.match(result.base.reference, /lambda\/nodejs:22/);
    assert.equal(JSON.parse(resultJson(result)).base.reason, reason);
  });

  it("gives the image of a build with that base", async () => {
    const tree: Tree = { "app.py": PYTHON, ".python-version": "3.12" };
    const [detected, named] = [await built(tree), await built(tree, { base: "python:3.12" })];
    assert.equal(detected.result.digest, named.result.digest);
    assert.deepEqual([named.detected, named.result.base.reason], [[], undefined]);
  });

  it("takes the language that has a handler if files tell several", async () => {
    const { result } = await built({
      "app.py": PYTHON,
      ".python-version": "3.12",
      "package.json": '{"devDependencies":{"aws-cdk":"2"}}',
    });
    assert.match(result.base.reference, /lambda\/python:3\.12/);
  });

  it("takes the language of the handler that was given", async () => {
    const tree = { "app.py": PYTHON, "index.mjs": NODE, ".nvmrc": "22", ".python-version": "3.12" };
    const { result } = await built(tree, { handler: "index.handler" });
    assert.match(result.base.reference, /lambda\/nodejs:22/);
  });

  it("refuses to choose between two languages with handlers, before any request", async () => {
    const requests = registry.requests.length;
    const tree = { "app.py": PYTHON, "index.mjs": NODE, ".nvmrc": "22", ".python-version": "3.12" };
    const error = await refusal(built(tree));
    assert.equal(error.code, "USAGE");
    assert.match(error.message, /nodejs:22 \(22 in \.nvmrc\), python:3\.12 \(3\.12 in \.python-version\)$/);
    assert.equal(error.hint, "add --base nodejs:22 or --base python:3.12");
    assert.equal(registry.requests.length, requests);
  });

  it("refuses a version that no base has", async () => {
    const error = await refusal(built({ "package.json": '{"engines":{"node":"23"}}', "index.mjs": NODE }));
    assert.match(error.message, /no base image for engines\.node 23 in package\.json/);
  });

  it("refuses versions that contradict each other, and names both", async () => {
    const tree = { "index.mjs": NODE, ".nvmrc": "22", ".tool-versions": "nodejs 20" };
    const error = await refusal(built(tree));
    assert.match(error.message, /no base image for 22 in \.nvmrc and 20 in \.tool-versions$/);
    assert.match(error.hint ?? "", /^correct one of these versions, or add --base BASE/);
  });

  it("names the directories below that look like apps", () => {
    const directory = makeTree({
      "web/package.json": "{}",
      "jobs/requirements.txt": "",
      "doc/index.js": NODE,
    });
    assert.throws(() => detectBases(directory), {
      hint: `name the directory of the app: lambda-pack build ${directory}/jobs or lambda-pack build ${directory}/web`,
    });
  });

  it("names the compiler for sources that have to be compiled", async () => {
    const error = await refusal(built({ "main.go": "package main\n" }));
    assert.match(error.hint ?? "", /go build -o bootstrap/);
  });

  it("refuses a package.json that is not JSON", async () => {
    const error = await refusal(built({ "package.json": "{", "index.mjs": NODE }));
    assert.equal(error.code, "FILE_UNREADABLE");
  });
});

describe("other commands without a base", () => {
  it("check of a directory detects it", async () => {
    const events: BuildEvent[] = [];
    const { to: _, ...options } = optionsFor(events);
    const source = makeTree({ "app.py": PYTHON, ".python-version": "3.12" });
    assert.equal((await check({ ...options, source })).ok, true);
    assert.ok(events.some((event) => event.type === "base-detected" && event.base === "python:3.12"));
  });

  it("a function of the configuration file without base detects it", async () => {
    const events: BuildEvent[] = [];
    const { to: _, ...options } = optionsFor(events);
    const root = makeTree({ "a/index.mjs": NODE, "a/.nvmrc": "22" });
    const config = join(root, "lambda-pack.jsonc");
    const functions = { a: { directory: "a", to: `oci:${join(temporaryDirectory(), "a")}` } };
    writeFileSync(config, JSON.stringify({ functions }));
    const { functions: results } = await buildFunctions({ ...options, config });
    assert.match(results[0]?.result.base.reference ?? "", /lambda\/nodejs:22/);
  });
});
