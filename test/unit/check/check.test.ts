import assert from "node:assert/strict";
import { existsSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checkMarkdown } from "../../../scripts/docs/check-docs.ts";
import {
  type BuildEvent,
  type BuildOptions,
  build,
  type CheckOptions,
  check,
  listBases,
  push,
} from "../../../src/index.ts";
import { lambdaPack } from "../../support/cli/cli.ts";
import { elf } from "../../support/formats/elf.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { directories, file, GOOD, withFiles, writeImage } from "../../support/images/check-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(event, context):\n    return event\n" };
/** Python loads app.so before app.py. */
const WRONG_MACHINE: Tree = { ...APP, "app.so": elf({ machine: "arm64" }) };

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
  await publishBase(registry, "lambda/provided", "al2023", lambdaBase("x86_64", "oci"));
});
after(() => registry.stop());

const environment = () => ({
  LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
  HOME: temporaryDirectory(),
});

function checkIt(source: string, more: Partial<CheckOptions> = {}) {
  return check({ source, cache: false, environment: environment(), ...more });
}

function buildIt(directory: string, more: Partial<BuildOptions> = {}) {
  const to = `oci:${join(temporaryDirectory(), "out")}`;
  return build({ directory, base: "python:3.12", to, cache: false, environment: environment(), ...more });
}

const rulesOf = ({ findings }: Awaited<ReturnType<typeof check>>) => findings.map(({ rule }) => rule);

describe("check", () => {
  it("finds the same in every medium", async () => {
    const source = await writeImage(withFiles(file("var/task/closed.py", "", 0o600)));
    const directory = temporaryDirectory();
    const places = [
      `oci-archive:${join(directory, "a.tar")}`,
      `docker-archive:${join(directory, "b.tar")}`,
      `${registry.host}/checked:v1`,
    ];
    await push({ source, to: places, cache: false, environment: environment() });
    for (const place of [source, ...places])
      assert.deepEqual(rulesOf(await checkIt(place)), ["readable"], place);
  });

  it("names the fault of an index in a registry, and goes on with the image in it", async () => {
    const { findings, platform } = await checkIt("python:3.12", { arch: "arm64" });
    assert.equal(findings[0]?.rule, "index-under-tag");
    assert.match(findings[0]?.message ?? "", /index of 2: linux\/amd64, linux\/arm64/);
    assert.equal(platform, "linux/arm64");
  });

  it("of a directory finds what its build would be stopped for, without writing anything", async () => {
    const directory = makeTree({ ...WRONG_MACHINE, ".env": "A=1" });
    const { findings, digest } = await checkIt(directory, { base: "python:3.12", handler: "app.handlr" });
    assert.deepEqual(findings.map(({ rule }) => rule).sort(), [
      "handler",
      "native-architecture",
      "secret-files",
    ]);
    assert.deepEqual([digest, existsSync(join(directory, ".lambda-pack"))], [undefined, false]);
  });

  it("of a directory says what is in it twice", async () => {
    const twice = "x".repeat(150_000);
    const directory = makeTree({ ...APP, "a.bin": twice, "lib/b.bin": twice, "c.bin": "y".repeat(150_000) });
    const { findings } = await checkIt(directory, { base: "python:3.12" });
    assert.deepEqual(
      findings.map(({ rule, message }) => [rule, message]),
      [
        [
          "ballast",
          "150 kB in 1 file that the image has under another name too; most of all 150 kB at /var/task/a.bin, /var/task/lib/b.bin",
        ],
      ],
    );
  });

  it("of a directory of more than 10 GB is an error, and of more than 8 GB a warning", async () => {
    const directory = makeTree({ ...APP, "model.bin": "" });
    const severities: string[] = [];
    for (const gigabytes of [7, 9, 11]) {
      // Of no blocks at all: only its size is 11 GB.
      truncateSync(join(directory, "model.bin"), gigabytes * 1e9);
      const { findings } = await checkIt(directory, { base: "python:3.12" });
      severities.push(findings.map(({ rule, severity, message }) => `${severity} ${rule} ${message}`).join());
    }
    assert.deepEqual(severities, [
      "",
      "warning size the image has 9.0 GB uncompressed, at least",
      "error size the image has 11.0 GB uncompressed, at least",
    ]);
  });

  it("of a good directory finds nothing", async () => {
    assert.deepEqual((await checkIt(makeTree(APP), { base: "python:3.12" })).findings, []);
  });

  it("of a directory whose files tell no base asks for --base", async () => {
    await assert.rejects(checkIt(makeTree({ "notes.txt": "x" })), { code: "USAGE", hint: /--base/ });
  });

  it("reads only our own layers of an image in a registry, and all of them if that is asked for", async () => {
    const [base, to] = [`${registry.host}/good:v1`, `${registry.host}/own:v1`];
    await push({ source: await writeImage(GOOD), to: base, cache: false, environment: environment() });
    await buildIt(makeTree(APP), { base, to });
    const read = async (deep: boolean) => {
      const { findings, layers } = await checkIt(to, { deep });
      return [findings, layers];
    };
    assert.deepEqual(await read(false), [[], { all: 3, read: 1 }]);
    assert.deepEqual(await read(true), [[], { all: 3, read: 3 }]);
  });
});

describe("build", () => {
  it("stops before anything is sent, with the rule and the way out", async () => {
    const to = `oci:${join(temporaryDirectory(), "out")}`;
    await assert.rejects(buildIt(makeTree(WRONG_MACHINE), { to }), {
      code: "CHECK_FAILED",
      message: /\/var\/task\/app\.so: is for Linux on arm64.*\(native-architecture\)/,
      hint: /--allow native-architecture/,
    });
    assert.equal(existsSync(to.slice("oci:".length)), false);
  });

  for (const [flag, more] of [
    ["--no-check", { check: false }],
    ["--allow with the rule", { allow: ["native-architecture"] }],
  ] as const) {
    it(`goes on with ${flag}`, async () => assert.ok((await buildIt(makeTree(WRONG_MACHINE), more)).digest));
  }

  it("for another architecture takes what is wrong for the one", async () => {
    assert.ok((await buildIt(makeTree(WRONG_MACHINE), { arch: "arm64" })).digest);
  });

  it("tells what is not an error as a warning", async () => {
    const events: BuildEvent[] = [];
    await buildIt(
      makeTree({ ...APP, "pkg/x.so": elf({ versions: ["GLIBC_2.40"], needed: ["libc.so.6"] }) }),
      { onEvent: (event) => events.push(event) },
    );
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.match(warnings.join("\n"), /asks for glibc 2\.40, and python:3\.12 has 2\.34 \(native-glibc\)/);
  });

  it("build gives no advice, which check of the same directory gives", async () => {
    const directory = makeTree({ ...APP, "pkg/A.py": "", "pkg/a.py": "" });
    assert.deepEqual(rulesOf(await checkIt(directory, { base: "python:3.12" })), ["colliding-names"]);
    const events: BuildEvent[] = [];
    await buildIt(directory, { onEvent: (event) => events.push(event) });
    assert.deepEqual(
      events.filter(({ type }) => type === "warning"),
      [],
    );
  });

  it("over another base names the runtime interface client that is missing", async () => {
    const base = `oci:${join(temporaryDirectory(), "debian")}`;
    await buildIt(makeTree({ "bin/x": "" }), {
      base: "scratch",
      to: base,
      check: false,
      cmd: ["python3"],
      target: "/",
    });
    await assert.rejects(buildIt(makeTree(APP), { base, handler: "app.handler" }), {
      code: "CHECK_FAILED",
      message: /no runtime interface client for python/,
      hint: /pip install --target \. awslambdaric/,
    });
  });

  it("for SnapStart sets the label if the base needs it, and only there", async () => {
    const label = async (base: string, tree: Tree) => {
      const { reference } = await buildIt(makeTree(tree), { base, snapstart: true });
      const [, layout = "", digest = ""] = /^oci:(.*)@sha256:(.*)$/.exec(reference) ?? [];
      const read = (hex: string) => JSON.parse(readFileSync(join(layout, "blobs/sha256", hex), "utf8"));
      const config = read(read(digest).config.digest.slice("sha256:".length));
      return config.config.Labels["com.amazonaws.lambda.feature.snapstart"];
    };
    assert.equal(
      await label("provided:al2023", { bootstrap: { file: "#!/bin/sh\n", mode: 0o755 } }),
      "Allow",
    );
    assert.equal(await label("python:3.12", APP), undefined);
  });
});

describe("bases", () => {
  it("bases are listed by language, and resolved for each architecture", async () => {
    const bases = await listBases({
      language: "provided",
      resolve: true,
      cache: false,
      environment: environment(),
    });
    assert.deepEqual(
      bases.map(({ name }) => name),
      ["provided:al2023", "provided:al2", "provided:alami"],
    );
    assert.match(bases[0]?.digests?.["x86_64"] ?? "", /^sha256:/);
    assert.deepEqual(bases[2]?.digests, {});
    assert.deepEqual([bases[0]?.supported, bases[1]?.supported], [true, false]);
  });

  it("of an unknown language are told with the nearest", async () => {
    await assert.rejects(listBases({ language: "pyton" }), { code: "USAGE", hint: /did you mean python\?/ });
  });
});

describe("on the command line bases", () => {
  const shown = async (argv: readonly string[], columns: number) => {
    const { status, stdout } = await lambdaPack(["bases", ...argv], {
      columns,
      environment: environment(),
      aws: { listBases },
    });
    assert.deepEqual([status, stdout.split("\n").filter((line) => line.length > columns)], [0, []]);
    return stdout;
  };

  it("on the command line bases are a line each, under what their language has in common", async () => {
    assert.match(
      await shown(["python"], 80),
      /^python: handler app\.handler; code in \/var\/task; dependencies in \/var\/task \(pip\ninstall --target\)\n {2}python:3\.14 {2}Amazon Linux 2023 {2}x86_64 arm64 {2}patched until 2029-06-30\n/,
    );
  });

  it("on the command line bases are three lines each if there is no room", async () => {
    const text = await shown(["java"], 40);
    assert.match(text, /^java: handler\n?[\s\S]*\/var\/task\/lib\/\*\.jar\n/);
    assert.match(
      text,
      /\n {2}java:25\n {4}Amazon Linux 2023, x86_64 arm64\n {4}patched until 2029-06-30\n {2}java:21\n/,
    );
    assert.match(text, /\n {2}java:8\n {4}Amazon Linux 1, x86_64\n {4}ended on 2024-01-08\n$/);
  });

  it("on the command line bases have their digests below them when they are resolved, or that they are not there", async () => {
    const text = await shown(["provided", "--resolve", "--no-cache"], 130);
    assert.match(text, /\n {2}provided:al2023 .*\n {4}x86_64 sha256:[0-9a-f]{64}\n/);
    assert.match(text, /\n {2}provided:alami .*\n {4}not in the registry\n$/);
    assert.match(
      await shown(["provided", "--resolve", "--no-cache"], 40),
      /\n {4}x86_64 sha256:[0-9a-f]{12}\n/,
    );
  });

  it("on the command line bases are all of them without a language, each language after a blank line", async () => {
    const parts = (await shown([], 100)).split("\n\n").map((part) => part.slice(0, part.indexOf(":")));
    assert.deepEqual(parts, ["python", "nodejs", "java", "dotnet", "ruby", "provided", "go"]);
  });
});

describe("on the command line check", () => {
  const checked = async (argv: readonly string[], scene: Parameters<typeof lambdaPack>[1] = {}) => {
    const source = await writeImage(withFiles(file("var/task/closed.py", "", 0o600), ...directories("opt")));
    return lambdaPack(["check", source, "--no-cache", ...argv], { ...scene, aws: { check } });
  };

  it("ends with 3 and says what, where, what Lambda would say and how to fix it", async () => {
    const { status, stdout } = await checked([], { columns: 100 });
    assert.equal(status, 3);
    assert.match(stdout, /^error readable\n {2}\/var\/task\/closed\.py\n {2}1 file/);
    assert.match(
      stdout,
      /Lambda would say: \[Errno 13\][\s\S]*fix: chmod -R a\+rX[\s\S]*1 error, 0 warnings; \d+ rules\n$/,
    );
  });

  it("fits into 40 columns", async () => {
    const { stdout } = await checked([], { columns: 40 });
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.length > 40),
      [],
    );
  });

  it("gives one object with --json", async () => {
    const { status, stdout } = await checked(["--json"]);
    const { ok, findings, platform } = JSON.parse(stdout);
    assert.deepEqual(
      [status, ok, platform, findings.length, findings[0].rule],
      [3, false, "linux/amd64", 1, "readable"],
    );
  });

  it("annotates in GitHub's workflows, one line for each finding", async () => {
    const { stdout, stderr } = await checked([], { environment: { GITHUB_ACTIONS: "true" } });
    assert.match(
      stderr,
      /^::error title=lambda-pack readable::\/var\/task\/closed\.py: 1 file.*%0Afix: chmod .*\n$/,
    );
    assert.match(stdout, /^error readable\n/);
  });

  it("annotates beside --json too, on stderr: stdout stays one object", async () => {
    const { stdout, stderr } = await checked(["--json"], { environment: { GITHUB_ACTIONS: "true" } });
    assert.equal(JSON.parse(stdout).findings.length, 1);
    assert.match(stderr, /^::error title=lambda-pack readable::.*\n$/);
  });

  it("annotates nothing where stderr is JSON itself, and nothing elsewhere than in GitHub's workflows", async () => {
    const json = await checked(["--progress", "json"], { environment: { GITHUB_ACTIONS: "true" } });
    assert.deepEqual([json.stderr, (await checked([])).stderr], ["", ""]);
  });

  it("of a directory annotates the file itself", async () => {
    const source = makeTree(WRONG_MACHINE);
    const argv = ["check", source, "--base", "python:3.12", "--no-cache", "--quiet"];
    const { stderr } = await lambdaPack(argv, {
      environment: { ...environment(), GITHUB_ACTIONS: "true" },
      aws: { check },
    });
    assert.match(stderr, /^::error file=.*\/app\.so,title=lambda-pack native-architecture::/);
  });

  it("of a good image ends with 0", async () => {
    const { status, stdout } = await lambdaPack(["check", await writeImage(GOOD), "--no-cache"], {
      aws: { check },
    });
    assert.equal(status, 0);
    assert.match(stdout, /OK, \d+ rules passed\n$/);
  });
});

it("docs/check.md is what the rules say (npm run docs)", () => {
  assert.equal(readFileSync(new URL("../../../docs/check.md", import.meta.url), "utf8"), checkMarkdown());
});
