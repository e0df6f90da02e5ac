import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flagsOf } from "../../../src/cli/arguments/flags.ts";
import { build } from "../../../src/cli/commands/build.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import type { BuildOptions } from "../../../src/index.ts";
import { lambdaPack } from "../../support/cli/cli.ts";

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
  [[], { directory: ".", base: "scratch" }],
  [["--platform", "linux/arm64"], { arch: "arm64" }],
  [["--no-cache", "--no-check"], { cache: false, check: false }],
  [["--base", "python:3.12"], { base: "python:3.12" }],
  [["--base=oci:base:v1"], { base: "oci:base:v1" }],
  [["--file", "Dockerfile.prod"], { file: "Dockerfile.prod" }],
  [["-f", "Dockerfile"], { file: "Dockerfile" }],
  [["--stage", "app"], { stage: "app" }],
  [["--build-arg", "A=1", "--build-arg", "B=x=y"], { buildArg: { A: "1", B: "x=y" } }],
  [["--arch", "arm64"], { arch: "arm64" }],
  [["--arch", "aarch64"], { arch: "arm64" }],
  [["--arch", "linux/arm64"], { arch: "arm64" }],
  [["--arch", "amd64"], { arch: "x86_64" }],
  [["--arch", "x86_64"], { arch: "x86_64" }],
  [["--handler", "app.handler"], { handler: "app.handler" }],
  [["--to", "oci:a", "--to", "oci:b"], { to: ["oci:a", "oci:b"] }],
  [["-t", "oci:a"], { to: ["oci:a"] }],
  [["-e", "A=1", "-j", "2", "-n"], { env: { A: "1" }, jobs: 2, dryRun: true }],
  [["--tag", "v1", "--tag", "v2"], { tag: ["v1", "v2"] }],
  [["--env", "A=1", "--env", "B=x=y", "--env", "C="], { env: { A: "1", B: "x=y", C: "" } }],
  [["--label", "a=b", "--label", "c"], { label: { a: "b", c: "" } }],
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
      layer: [
        { name: "deps", glob: "node_modules/**" },
        { name: "x", glob: "a=b" },
      ],
    },
  ],
  [["--exclude", "*.pyc", "--exclude", "test"], { exclude: ["*.pyc", "test"] }],
  [["--env-file", "a.env", "--env-file", "b.env"], { envFile: ["a.env", "b.env"] }],
  [["--ignore-file", "ignored"], { ignoreFile: "ignored" }],
  [["--format", "docker"], { format: "docker" }],
  [["--level", "9"], { level: 9 }],
  [["--level", "1", "--level", "6"], { level: 6 }],
  [["--jobs", "64"], { jobs: 64 }],
  [["--cache-dir", "/c"], { cacheDir: "/c" }],
  [["--no-cache"], { cache: false }],
  [["--offline"], { offline: true }],
  [["--registry-timeout", "60"], { registryTimeout: 60 }],
  [["--insecure-registry", "a:5000", "--insecure-registry", "b"], { insecureRegistry: ["a:5000", "b"] }],
  [["--timeout", "300"], { registryTimeout: 300 }],
  [["--registry-timeout", "300"], { registryTimeout: 300 }],
  [["--trust-realm", "auth.example.net"], { trustRealm: ["auth.example.net"] }],
  [["--allow-private", "minio.lan"], { allowPrivate: ["minio.lan"] }],
  [["--dry-run"], { dryRun: true }],
  [["--create-repo"], { createRepo: true }],
  [
    ["--copy-from", "r.example/a:1:/x:/y", "--copy-from", "oci:b:/x:/y"],
    { copyFrom: ["r.example/a:1:/x:/y", "oci:b:/x:/y"] },
  ],
  [["--add", "shared:/opt", "--add", "b:/c"], { add: ["shared:/opt", "b:/c"] }],
  [["--lambda-layer", "a.zip", "--lambda-layer", "b.zip"], { lambdaLayer: ["a.zip", "b.zip"] }],
  [["--extension", "probe"], { extension: ["probe"] }],
  [["--web-adapter"], { webAdapter: "true" }],
  [["--runtime-client"], { runtimeClient: true }],
  [["--web-adapter=0.9.1"], { webAdapter: "0.9.1" }],
  [["--reuse-from", "app:v1"], { reuseFrom: "app:v1" }],
  [["--allow", "links", "--allow", "handler"], { allow: ["links", "handler"] }],
  [["--allow-secret", ".env"], { allowSecret: [".env"] }],
  [["--deep"], { deep: true }],
  [["--snapstart"], { snapstart: true }],
  [["--no-check"], { check: false }],
  [["--lock"], { lock: true }],
  [["--lock-file", "base.lock"], { lockFile: "base.lock" }],
  [["--update-base"], { updateBase: true }],
  [["--locked"], { locked: true }],
  [["--omit-dev"], { omitDev: true }],
  [["--bundle"], { bundle: true }],
  [["--install", "app"], { install: "auto", directory: "app" }],
  [["--install=uv-lock"], { install: "uv-lock" }],
  [["--extra", "web", "--extra", "pdf"], { extra: ["web", "pdf"] }],
  [["--group", "batch"], { group: ["batch"] }],
  [["--", "--install"], { directory: "--install" }],
  [["--", "--odd-directory"], { directory: "--odd-directory" }],
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

  it("each flag of build has a test above", () => {
    const tried = new Set(flags.flatMap(([argv]) => argv.map((word) => word.replace(/=.*/, ""))));
    const output = new Set([
      "--json",
      "--metadata-file",
      "--iidfile",
      "--progress",
      "--quiet",
      "--verbose",
      "--help",
      "--version",
    ]);
    const untried = flagsOf(build).filter(
      // Those about functions have a test of their own (functions.test.ts).
      ({ name, option }) => !tried.has(name) && !output.has(name) && option.group !== "Configuration file",
    );
    assert.deepEqual(
      untried.map(({ name }) => name),
      [],
    );
  });

  it("a flag of build that is not given leaves the default to the library", async () => {
    const { environment, onEvent, signal, ...options } = await optionsOf([]);
    assert.deepEqual(options, { directory: ".", base: "scratch" });
  });

  it("a flag of every command may stand before the command", async () => {
    const { stdout } = await lambdaPack(["--json", "build", "app", "--base", "scratch"]);
    assert.equal(JSON.parse(stdout).platform, "linux/amd64");
  });

  it("--env with a name alone takes the value from the environment", async () => {
    const { env } = await optionsOf(["--env", "STAGE"], { STAGE: "prod" });
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
      [options?.source, options?.to, options?.arch, options?.tag],
      ["oci:a", ["host/b:1", "oci:c"], "x86_64", ["t"]],
    );
  });
});

describe("an environment variable", () => {
  it("LAMBDA_PACK_PROGRESS with a bad value is an error that names it", async () => {
    const { status, stderr } = await lambdaPack(["build", "--base", "x"], {
      environment: { LAMBDA_PACK_PROGRESS: "loud" },
    });
    const message = 'LAMBDA_PACK_PROGRESS should be auto, tty, plain, json or none, not "loud"';
    assert.deepEqual([status, stderr], [2, `error: ${message}\n`]);
  });

  it("LAMBDA_PACK_BASE stands in for the required --base", async () => {
    const { status, builds } = await lambdaPack(["build"], { environment: { LAMBDA_PACK_BASE: "scratch" } });
    assert.deepEqual([status, builds.length], [0, 1]);
  });
});

/** What is typed, the error, and the fix. */
const mistakes: readonly (readonly [argv: readonly string[], error: string, fix?: string])[] = [
  [["biuld"], 'unknown command "biuld"', "did you mean build?"],
  [["verify-all"], 'unknown command "verify-all"', "lambda-pack --help lists the commands"],
  [
    ["build", "--platform", "linux/amd64,linux/arm64"],
    '--platform should be x86_64 or arm64, not "linux/amd64,linux/arm64"',
    "an image for Lambda has one architecture: build one for each",
  ],
  [["help", "biuld"], 'unknown command "biuld"', "did you mean build?"],
  [["biuld", "--help"], 'unknown command "biuld"', "did you mean build?"],
  [["--quiet"], "no command is given", "lambda-pack --help lists the commands"],
  [["./app"], 'unknown command "./app"', "did you mean lambda-pack build ./app?"],
  [["src"], 'unknown command "src"', "did you mean lambda-pack build src?"],
  [
    ["login"],
    'unknown command "login"',
    "no login is needed: the credentials of docker, podman and AWS are used as they are",
  ],
  [["init"], 'unknown command "init"', "no set-up is needed: lambda-pack build DIR builds an image"],
  [
    ["build", "--cache-from", "x"],
    "build has no flag --cache-from",
    "leave it out: unchanged layers are reused; --reuse-from IMAGE names an image that has them",
  ],
  [["build", "--bse", "x"], "build has no flag --bse", "did you mean --base BASE?"],
  [["build", "--BASE", "x"], "build has no flag --BASE", "did you mean --base BASE?"],
  [
    ["build", "--insecure", "x"],
    "build has no flag --insecure",
    "did you mean --insecure-registry HOST[:PORT]?",
  ],
  [
    ["build", "--secret", "id=npm"],
    "build has no flag --secret",
    "leave it out: no command runs in the image while it is built",
  ],
  [["build", "--push"], "build has no flag --push", "--push is not needed: --to DEST pushes"],
  [
    ["build", "--load"],
    "build has no flag --load",
    "there is no daemon: build with --to docker-archive:app.tar, then docker load -i app.tar",
  ],
  [
    ["build", "--runtime=python3.12"],
    "build has no flag --runtime",
    "write --base, for example --base python:3.12",
  ],
  [["build", "--xyzzy"], "build has no flag --xyzzy", "lambda-pack build --help lists its flags"],
  [["build", "-z"], "build has no flag -z", "lambda-pack build --help lists its flags"],
  [
    ["push", "a", "b", "--handler", "x"],
    "push has no flag --handler",
    "lambda-pack push --help lists its flags",
  ],
  [
    ["--level", "3", "build"],
    '"--level" is not a flag of every command',
    "write flags after the command: lambda-pack build --level",
  ],
  [["build", "--base"], "--base needs a value", "write --base BASE"],
  [["build", "-t"], "--to needs a value", "write -t, --to DEST"],
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
  [["build", "--dry-run=yes", "--base", "x"], '--dry-run takes no value, and has "yes"', "write --dry-run"],
  [
    ["build", "a", "b", "--base", "x"],
    'unexpected argument "b": without lambda-pack.jsonc there is one directory or image',
    "name one of them",
  ],
  [["build", "--base", "x", "--level", "0"], '--level should be a whole number from 1 to 9, not "0"'],
  [["build", "--base", "x", "--level", "4.5"], '--level should be a whole number from 1 to 9, not "4.5"'],
  [["build", "--base", "x", "--jobs", "65"], '--jobs should be a whole number from 1 to 64, not "65"'],
  [["build", "--base", "x", "--arch", "riscv"], '--arch should be x86_64 or arm64, not "riscv"'],
  [
    ["build", "--base", "x", "--platform=linux/arm/v7"],
    '--platform should be x86_64 or arm64, not "linux/arm/v7"',
  ],
  [["build", "--base", "x", "--arch", "constructor"], '--arch should be x86_64 or arm64, not "constructor"'],
  [["build", "--base", "x", "--format", "zip"], '--format should be auto, docker or oci, not "zip"'],
  [
    ["build", "--base", "x", "--env", "=1"],
    '--env should be K=V, or K alone for a variable that is set here, not "=1"',
  ],
  [
    ["build", "--base", "x", "--env", "A=1", "--env", "NOT_SET"],
    '--env should be K=V, or K alone for a variable that is set here, not "NOT_SET"',
  ],
  [
    ["build", "--base", "x", "--layer", "deps"],
    "--layer should be NAME=GLOB, for example 'deps=node_modules/**', not \"deps\"",
  ],
  [["build", "--base", "x", "--cmd", ""], "--cmd is empty"],
  [
    ["build", "--base", "x", "--cmd", "[1]"],
    "--cmd should be a word or a JSON array of strings ('[]' removes the base's), not \"[1]\"",
  ],
  [
    ["build", "--base", "x", "--quiet", "--verbose"],
    "--quiet and --verbose exclude each other",
    "leave out one of them",
  ],
  [["repo", "iam", "app"], "--for is missing", "add --for push, --for deploy or --for create"],
  [
    ["repo", "iam", "app", "--apply"],
    "repo iam has no flag --apply",
    "lambda-pack repo --help lists the flags of each",
  ],
  [["cache", "clear"], 'unknown cache command "clear"', "did you mean lambda-pack cache prune?"],
  [["completion", "csh"], '<bash|zsh|fish> should be bash, zsh or fish, not "csh"'],
];

describe("a mistake on the command line", () => {
  for (const [argv, error, fix] of mistakes) {
    it(`${JSON.stringify(argv.join(" "))} is an error that says what to write`, async () => {
      const { status, stdout, stderr, builds } = await lambdaPack(argv);
      assert.equal(stderr, `error: ${error}\n${fix === undefined ? "" : `  fix: ${fix}\n`}`);
      assert.deepEqual([status, stdout, builds.length], [2, "", 0]);
    });
  }

  it("build without --base or directory builds the current directory and leaves the base to the build", async () => {
    const { builds } = await lambdaPack(["build"]);
    assert.deepEqual(
      builds.map(({ directory, base }) => ({ directory, base })),
      [{ directory: ".", base: undefined }],
    );
  });

  it("push without a destination says what a destination is", async () => {
    const { status, stderr } = await lambdaPack(["push", "oci:a"]);
    assert.equal(status, 2);
    assert.match(stderr, /^error: push needs <dest>\n {2}fix: add <dest>: an image reference, .*\n$/);
  });

  it("a mistake as long as a pasted file is printed in part", async () => {
    const { stderr } = await lambdaPack(["x".repeat(10_000)]);
    assert.ok(stderr.length < 250);
  });
});

describe("a call without a command", () => {
  it("lambda-pack alone prints the help and succeeds", async () => {
    const { status, stdout } = await lambdaPack([]);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: lambda-pack <command> \[flags\]\n/);
  });

  for (const argv of [["--version"], ["-v"], ["-V"], ["version"], ["build", "-v"]])
    it(`lambda-pack ${argv.join(" ")} prints the version`, async () => {
      const { status, stdout } = await lambdaPack(argv);
      assert.equal(status, 0);
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    });
});

it("every command of the help can be loaded and has options", async () => {
  for (const { name, load } of COMMANDS) assert.ok((await load()).options, name);
});
