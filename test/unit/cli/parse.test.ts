import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { COMMANDS, flagsOf } from "../../../src/cli/commands.ts";
import { flagName } from "../../../src/cli/text.ts";
import type { BuildOptions } from "../../../src/index.ts";
import { lambdaPack } from "../../support/cli.ts";

async function optionsOf(
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<BuildOptions> {
  const { builds, stderr } = await lambdaPack(["build", "--base", "scratch", ...argv], { environment });
  assert.ok(builds[0], stderr);
  return builds[0];
}

/** Flag by flag: what is typed, and what the library is asked for. */
const flags: readonly (readonly [argv: readonly string[], want: Partial<BuildOptions>])[] = [
  [["app"], { directory: "app" }],
  [[], { directory: ".", base: "scratch", cache: true, offline: false, dryRun: false, tags: [] }],
  [["--base", "python:3.12"], { base: "python:3.12" }],
  [["--base=oci:base:v1"], { base: "oci:base:v1" }],
  [["--file", "Dockerfile.prod"], { file: "Dockerfile.prod" }],
  [["-f", "Dockerfile"], { file: "Dockerfile" }],
  [["--stage", "app"], { stage: "app" }],
  [["--build-arg", "A=1", "--build-arg", "B=x=y"], { buildArgs: { A: "1", B: "x=y" } }],
  [["--arch", "arm64"], { architecture: "arm64" }],
  [["--arch", "aarch64"], { architecture: "arm64" }],
  [["--arch", "linux/arm64"], { architecture: "arm64" }],
  [["--arch", "amd64"], { architecture: "x86_64" }],
  [["--arch", "x86_64"], { architecture: "x86_64" }],
  [["--handler", "app.handler"], { handler: "app.handler" }],
  [["--to", "oci:a", "--to", "oci:b"], { to: ["oci:a", "oci:b"] }],
  [["--tag", "v1", "--tag", "v2"], { tags: ["v1", "v2"] }],
  [["--env", "A=1", "--env", "B=x=y", "--env", "C="], { env: { A: "1", B: "x=y", C: "" } }],
  [["--label", "a=b", "--label", "c"], { labels: { a: "b", c: "" } }],
  [
    ["--entrypoint", "python", "--entrypoint", "-m", "--entrypoint", "app"],
    { entrypoint: ["python", "-m", "app"] },
  ],
  [["--entrypoint", '["a b", "-c"]', "--entrypoint", "d"], { entrypoint: ["a b", "-c", "d"] }],
  [["--cmd", "[]"], { cmd: [] }],
  [["--cmd", "--port=80"], { cmd: ["--port=80"] }],
  [["--cmd", "[a"], { cmd: ["[a"] }],
  [["--workdir", "/srv"], { workdir: "/srv" }],
  [["--target", "/opt"], { target: "/opt" }],
  [
    ["--layer", "deps=node_modules/**", "--layer", "x=a=b"],
    {
      layers: [
        { name: "deps", glob: "node_modules/**" },
        { name: "x", glob: "a=b" },
      ],
    },
  ],
  [["--exclude", "*.pyc", "--exclude", "test"], { exclude: ["*.pyc", "test"] }],
  [["--ignore-file", "ignored"], { ignoreFile: "ignored" }],
  [["--format", "docker"], { format: "docker" }],
  [["--level", "9"], { level: 9 }],
  [["--level", "1", "--level", "6"], { level: 6 }],
  [["--jobs", "64"], { jobs: 64 }],
  [["--cache-dir", "/c"], { cacheDirectory: "/c" }],
  [["--no-cache"], { cache: false }],
  [["--offline"], { offline: true }],
  [["--insecure-registry", "a:5000", "--insecure-registry", "b"], { insecureRegistries: ["a:5000", "b"] }],
  [["--dry-run"], { dryRun: true }],
  [["--create-repo"], { createRepo: true }],
  [["--reuse-from", "app:v1"], { reuseFrom: "app:v1" }],
  [["--allow", "links", "--allow", "handler"], { allow: ["links", "handler"] }],
  [["--allow-secret", ".env"], { allowSecrets: [".env"] }],
  [["--deep"], { deep: true }],
  [["--snapstart"], { snapstart: true }],
  [["--no-check"], { check: false }],
  [["--lock"], { lock: true }],
  [["--lock-file", "base.lock"], { lockFile: "base.lock" }],
  [["--update-base"], { updateBase: true }],
  [["--locked"], { locked: true }],
  [["--install", "app"], { install: "auto", directory: "app" }],
  [["--install=uv-lock"], { install: "uv-lock" }],
  [["--", "--install"], { directory: "--install" }],
  [["--", "--odd-folder"], { directory: "--odd-folder" }],
];

describe("a flag of build", () => {
  for (const [argv, want] of flags) {
    it(`${argv.join(" ") || "(none)"} is read`, async () => {
      const options = await optionsOf(argv);
      const got = Object.fromEntries(
        Object.keys(want).map((key) => [key, options[key as keyof BuildOptions]]),
      );
      assert.deepEqual(got, want);
    });
  }

  it("has a line above, whichever it is", () => {
    const [build] = COMMANDS;
    assert.ok(build);
    const tried = new Set(flags.flatMap(([argv]) => argv.map((word) => word.replace(/=.*/, ""))));
    const untried = Object.keys(build.flags).filter((key) => !tried.has(`--${flagName(key)}`));
    assert.deepEqual(untried, []);
  });

  it("that is not given leaves the default to the library", async () => {
    const options = await optionsOf([]);
    for (const key of [
      "architecture",
      "handler",
      "to",
      "layers",
      "cmd",
      "entrypoint",
      "level",
      "jobs",
      "format",
    ]) {
      assert.equal(key in options, false, key);
    }
  });

  it("may stand before the command", async () => {
    const { builds } = await lambdaPack(["--level", "3", "build", "app", "--base", "scratch"]);
    assert.deepEqual([builds[0]?.level, builds[0]?.directory], [3, "app"]);
  });

  it("--env with a name alone takes the value from the environment, or leaves it out", async () => {
    const { env } = await optionsOf(["--env", "STAGE", "--env", "MISSING"], { STAGE: "prod" });
    assert.deepEqual(env, { STAGE: "prod" });
  });

  it("--env __proto__=x is a variable like any other", async () => {
    const { env = {} } = await optionsOf(["--env", "__proto__=x"]);
    assert.deepEqual(Object.entries(env), [["__proto__", "x"]]);
  });
});

describe("push", () => {
  it("takes a source and one or more destinations", async () => {
    const { pushes } = await lambdaPack([
      "push",
      "oci:a",
      "host/b:1",
      "oci:c",
      "--arch",
      "amd64",
      "--tag",
      "t",
    ]);
    const [options] = pushes;
    assert.deepEqual(
      [options?.source, options?.to, options?.architecture, options?.tags],
      ["oci:a", ["host/b:1", "oci:c"], "x86_64", ["t"]],
    );
  });
});

describe("a variable", () => {
  it("stands in for a flag that is not given", async () => {
    const environment = { LAMBDA_PACK_JOBS: "3", LAMBDA_PACK_CACHE_DIR: "/var/cache" };
    const { jobs, cacheDirectory } = await optionsOf([], environment);
    assert.deepEqual([jobs, cacheDirectory], [3, "/var/cache"]);
  });

  it("gives way to the flag, even where it is wrong", async () => {
    assert.equal((await optionsOf(["--jobs", "2"], { LAMBDA_PACK_JOBS: "many" })).jobs, 2);
  });

  it("that is empty is not set", async () => {
    assert.equal((await optionsOf([], { LAMBDA_PACK_JOBS: "" })).jobs, undefined);
  });

  for (const [name, value, says] of [
    ["LAMBDA_PACK_JOBS", "many", 'LAMBDA_PACK_JOBS should be a whole number from 1 to 64, not "many"'],
    [
      "LAMBDA_PACK_PROGRESS",
      "loud",
      'LAMBDA_PACK_PROGRESS should be auto, tty, plain, json or none, not "loud"',
    ],
  ] as const) {
    it(`${name} with a bad value is named`, async () => {
      const { status, stderr } = await lambdaPack(["build", "--base", "x"], {
        environment: { [name]: value },
      });
      assert.deepEqual([status, stderr], [2, `error: ${says}\n`]);
    });
  }
});

/** What is typed, and the first line and the hint that answer it. */
const slips: readonly (readonly [argv: readonly string[], error: string, hint?: string])[] = [
  [[], "no command is given", "lambda-pack --help shows what there is"],
  [["biuld"], 'unknown command "biuld"', "did you mean build?"],
  [["verify", "app"], 'unknown command "verify"', "lambda-pack --help shows what there is"],
  [["build", "--bse", "x"], "build has no flag --bse", "did you mean --base?"],
  [["build", "--insecure", "x"], "build has no flag --insecure", "did you mean --insecure-registry?"],
  [["build", "--platform", "linux/arm64"], "build has no flag --platform", "did you mean --arch?"],
  [["build", "--xyzzy"], "build has no flag --xyzzy", "lambda-pack build --help shows what there is"],
  [["build", "-z"], "build has no flag -z", "lambda-pack build --help shows what there is"],
  [
    ["push", "a", "b", "--handler", "x"],
    "push has no flag --handler",
    "lambda-pack push --help shows what there is",
  ],
  [["build", "--base"], "--base needs a value", "the form is --base BASE"],
  [
    ["build", "--base", "--to", "x"],
    '--base needs a value, and "--to" looks like a flag',
    "if it is the value, write --base=--to",
  ],
  [
    ["build", "--base", "x", "--cmd", "--entrypoint", "x"],
    '--cmd needs a value, and "--entrypoint" looks like a flag',
    "if it is the value, write --cmd=--entrypoint",
  ],
  [["build", "--base="], "--base is empty"],
  [["build", "--dry-run=yes", "--base", "x"], '--dry-run takes no value, and has "yes"'],
  [
    ["build", "a", "b", "--base", "x"],
    'build does not know what "b" is for',
    "lambda-pack build --help shows what it takes",
  ],
  [["build", "--base", "x", "--level", "0"], '--level should be a whole number from 1 to 9, not "0"'],
  [["build", "--base", "x", "--level", "4.5"], '--level should be a whole number from 1 to 9, not "4.5"'],
  [["build", "--base", "x", "--jobs", "65"], '--jobs should be a whole number from 1 to 64, not "65"'],
  [["build", "--base", "x", "--arch", "riscv"], '--arch should be x86_64 or arm64, not "riscv"'],
  [["build", "--base", "x", "--arch", "constructor"], '--arch should be x86_64 or arm64, not "constructor"'],
  [["build", "--base", "x", "--format", "zip"], '--format should be auto, docker or oci, not "zip"'],
  [["build", "--base", "x", "--env", "=1"], '--env "=1" has no name before the =', "the form is --env K=V"],
  [
    ["build", "--base", "x", "--layer", "deps"],
    '--layer "deps" has no pattern',
    "for example --layer 'deps=node_modules/**'",
  ],
  [["build", "--base", "x", "--cmd", ""], "--cmd is empty", "--cmd '[]' clears what the base has"],
  [
    ["build", "--base", "x", "--cmd", "[1]"],
    '--cmd "[1]" is not a JSON array of strings',
    `for example --cmd '["python", "-m", "app"]', or one word each time: --cmd python --cmd -m`,
  ],
  [["build", "--base", "x", "--quiet", "--verbose"], "--quiet and --verbose exclude each other"],
];

describe("a slip", () => {
  for (const [argv, error, hint] of slips) {
    it(`${JSON.stringify(argv.join(" "))} is told, with the way out`, async () => {
      const { status, stdout, stderr, builds } = await lambdaPack(argv);
      assert.equal(stderr, `error: ${error}\n${hint === undefined ? "" : `  ${hint}\n`}`);
      assert.deepEqual([status, stdout, builds.length], [2, "", 0]);
    });
  }

  it("that leaves out --base says what bases there are, in two lines", async () => {
    const { status, stderr } = await lambdaPack(["build"]);
    assert.equal(status, 2);
    assert.match(stderr, /^error: --base is missing\n {2}--base BASE: python:3\.12 .*scratch\n$/);
  });

  it("that leaves out a destination says what one is", async () => {
    const { status, stderr } = await lambdaPack(["push", "oci:a"]);
    assert.equal(status, 2);
    assert.match(stderr, /^error: push needs <dest>\n {2}<dest>: a registry reference, .*\n$/);
  });

  it("as long as a pasted file is shown in part", async () => {
    const { stderr } = await lambdaPack(["x".repeat(10_000)]);
    assert.ok(stderr.length < 250);
  });
});

it("no two commands give one flag different shapes, so flags may stand before the command", () => {
  const shapes = new Map<string, boolean>();
  for (const command of COMMANDS) {
    for (const [key, { placeholder }] of Object.entries(flagsOf(command))) {
      const takesValue = placeholder !== undefined;
      assert.equal(shapes.get(key) ?? takesValue, takesValue, key);
      shapes.set(key, takesValue);
    }
  }
});
