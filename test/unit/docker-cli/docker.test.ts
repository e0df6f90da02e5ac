import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { dockerMain } from "../../../src/cli/docker/main.ts";
import { screen } from "../../support/cli/cli.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const DOCKERFILE = 'FROM public.ecr.aws/lambda/nodejs:22\nCOPY app.mjs ./\nCMD ["app.handler"]\n';
const HASH = "275b3557a744b555c3daa542962f05bb3cb24d1e60dfbc8df4859ec28e48643e";
const LOCAL = `cdkasset-${HASH}`;

let bases: TestRegistry;
let registry: TestRegistry;
before(async () => {
  bases = await TestRegistry.start();
  registry = await TestRegistry.start({ auth: "basic", user: "AWS", password: "token" });
  await publishBase(bases, "lambda/nodejs", "22", lambdaBase("x86_64"), lambdaBase("arm64"));
});
after(() => Promise.all([bases.stop(), registry.stop()]));

/** A deployment's machine: each command is a process of its own there. */
function machine(more: Readonly<Record<string, string>> = {}) {
  const cache = join(temporaryDirectory(), "cache");
  const directory = makeTree({ "app.mjs": "export const handler = () => 1;\n", Dockerfile: DOCKERFILE });
  const environment = {
    LAMBDA_PACK_CACHE_DIR: cache,
    LAMBDA_PACK_BASE_REGISTRY: `${bases.host}/lambda`,
    HOME: temporaryDirectory(),
    ...more,
  };
  const docker = async (argv: readonly string[], stdin = "") => {
    const [stdout, stderr] = [screen(), screen()];
    const status = await dockerMain(argv, {
      stdin: Readable.from([Buffer.from(stdin)]),
      ...{ stdout, stderr, environment, directory, version: "1.2.3" },
      signal: new AbortController().signal,
      load: () => import("../../../src/cli/api.ts"),
    });
    return { status, stdout: stdout.text(), stderr: stderr.text() };
  };
  return { cache, directory, docker };
}

describe("lambda-pack-docker", () => {
  it("lambda-pack-docker does the five calls of cdk-assets, and a second deployment sends nothing", async () => {
    const { docker, cache } = machine();
    const uri = `${registry.host}/assets:${HASH}`;
    const login = ["login", "--username", "AWS", "--password-stdin", registry.host];
    assert.equal((await docker(login, "token\n")).status, 0);
    assert.equal((await docker(["inspect", LOCAL])).status, 1);
    const built = await docker(["build", "--tag", LOCAL, "--platform", "linux/arm64", "."]);
    assert.deepEqual([built.status, built.stderr], [0, ""]);
    assert.equal(registry.requests.length, 0);
    assert.equal((await docker(["inspect", LOCAL])).status, 0);
    assert.equal((await docker(["tag", LOCAL, uri])).status, 0);
    const pushed = await docker(["push", uri]);
    assert.deepEqual([pushed.status, pushed.stderr], [0, ""]);
    assert.equal(pushed.stdout, `${registry.host}/assets@${built.stdout}`);
    assert.equal(registry.tag("assets", HASH), built.stdout.trim());

    const received = registry.bytesReceived;
    assert.equal((await docker(["push", uri])).status, 0);
    assert.equal(registry.bytesReceived, received);
    assert.equal(statSync(join(cache, "docker/logins.json")).mode & 0o077, 0);
  });

  it("finds an image by its tag, as cdk-assets does for a second destination", async () => {
    const { docker } = machine();
    await docker(["build", "-t", LOCAL, "."]);
    await docker(["tag", LOCAL, `example.com/one:${HASH}`]);
    const format = ["--format", "{{.Repository}}:{{.Tag}}"];
    const found = await docker(["images", ...format, "--filter", `reference=*/*:${HASH}`]);
    assert.equal(found.stdout, `example.com/one:${HASH}\n`);
    assert.equal((await docker(["images", ...format, "--filter", "reference=*/*:none"])).stdout, "");
  });

  it("takes the context, the Dockerfile, the stage, arguments and labels of the build", async () => {
    const { docker, directory } = machine();
    const file = join(directory, "Dockerfile");
    const text =
      'ARG V=1\nFROM public.ecr.aws/lambda/nodejs:$V AS app\nCOPY app.mjs ./\nCMD ["app.handler"]\nFROM app AS debug\nRUN dnf install gdb\n';
    rmSync(file);
    const other = join(directory, "Dockerfile.prod");
    writeFileSync(other, text);
    const built = await docker([
      "build",
      "--build-arg",
      "V=22",
      "--label",
      "a=b",
      "--tag",
      "x",
      "--target",
      "app",
      "--file",
      "Dockerfile.prod",
      ".",
    ]);
    assert.deepEqual([built.status, built.stderr], [0, ""]);
  });

  it("prints a warning of the build with its fix on a line below", async () => {
    const { docker, directory } = machine();
    const options = { base: "nodejs:22", exclude: ["nothing-here"] };
    const { status, stderr } = await docker(["pack", directory, JSON.stringify(options)]);
    const warning = `warning: --exclude has no effect: "nothing-here" leaves out no file`;
    assert.deepEqual([status, stderr], [0, `${warning}\n  fix: leave out --exclude\n`]);
  });

  it("loads an archive of another tool, and pushes it", async () => {
    const { docker } = machine();
    const { build } = await import("../../../src/index.ts");
    const archive = join(temporaryDirectory(), "image.tar");
    await build({
      directory: makeTree({ "app.mjs": "export const handler = () => 2;\n" }),
      base: "nodejs:22",
      to: `docker-archive:${archive}`,
      cacheDir: temporaryDirectory(),
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${bases.host}/lambda`, HOME: temporaryDirectory() },
    });
    await docker(["login", "-u", "AWS", "--password-stdin", registry.host], "token");
    const loaded = await docker(["load", "-i", archive]);
    const [, name = ""] = /^Loaded image: (\S+)\n$/.exec(loaded.stdout) ?? [];
    await docker(["tag", name, `${registry.host}/assets:archive`]);
    const pushed = await docker(["push", `${registry.host}/assets:archive`]);
    assert.deepEqual([pushed.status, pushed.stderr], [0, ""]);
    assert.ok(registry.tag("assets", "archive"));
  });

  it("uses the login before credentials that the environment has", async () => {
    const auths = { [registry.host]: { auth: Buffer.from("AWS:old").toString("base64") } };
    const { docker } = machine({ DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) });
    await docker(["login", "--username", "AWS", "--password-stdin", `https://${registry.host}/`], "token");
    await docker(["build", "-t", "x", "."]);
    await docker(["tag", "x", `${registry.host}/assets:login`]);
    assert.equal((await docker(["push", `${registry.host}/assets:login`])).status, 0);
  });

  it("keeps nothing of an image whose directory is gone", async () => {
    const { docker, directory } = machine();
    await docker(["build", "-t", "x", "."]);
    rmSync(directory, { recursive: true });
    assert.equal((await docker(["inspect", "x"])).status, 1);
  });

  const REFUSED: readonly (readonly [argv: readonly string[], error: RegExp])[] = [
    [
      ["run", "--rm", "x"],
      /^error: lambda-pack-docker run is not possible.*\n {2}fix: bundle with a local command/,
    ],
    [["build", "--secret", "id=a", "-t", "x", "."], /^error: build --secret is not possible without Docker/],
    [["build", "--ssh", "default", "-t", "x", "."], /^error: build --ssh is not possible/],
    [["build", "--build-context", "a=b", "-t", "x", "."], /^error: build --build-context is not possible/],
    [
      ["build", "--output=type=local,dest=out", "."],
      /^error: build --output=type=local,dest=out is not possible/,
    ],
    [["build", "--squash", "."], /^error: build: Unknown option '--squash'/],
    [["build", "--platform", "windows/amd64", "."], /^error: Lambda does not run windows\/amd64/],
    [["push", "never-built"], /^error: there is no local image never-built/],
    [
      ["login", "-u", "AWS", "-p", "secret", "host"],
      /^error: login needs --username, --password-stdin and a host/,
    ],
    [["ps"], /^error: lambda-pack-docker ps is not possible/],
  ];
  for (const [argv, error] of REFUSED)
    it(`refuses ${argv.join(" ")} by its name`, async () => {
      const { status, stderr, stdout } = await machine().docker(argv);
      assert.match(stderr, error);
      assert.doesNotMatch(stderr, /\bsecret\b(?! is)/);
      assert.deepEqual([status, stdout], [1, ""]);
    });

  it("refuses a Dockerfile that takes a shell when it is built, with its line", async () => {
    const { docker, directory, cache } = machine();
    writeFileSync(
      join(directory, "Dockerfile"),
      "FROM public.ecr.aws/lambda/nodejs:22\nRUN dnf install -y gcc\n",
    );
    const { status, stderr } = await docker(["build", "-t", "x", "."]);
    assert.equal(status, 1);
    assert.match(stderr, /Dockerfile:2: RUN dnf install -y gcc: dnf is a program/);
    assert.ok(!existsSync(join(cache, "docker/images")));
  });

  it("gives its version", async () => {
    assert.equal((await machine().docker(["--version"])).stdout, "lambda-pack-docker 1.2.3\n");
    assert.ok(
      readFileSync(new URL("../../../package.json", import.meta.url), "utf8").includes(
        '"lambda-pack-docker"',
      ),
    );
  });
});

describe("lambda-pack-docker pack", () => {
  it("packs a directory for the construct, with paths that begin there, and prints a local name", async () => {
    const { docker, directory } = machine();
    writeFileSync(join(directory, "vars"), "STAGE=test\n");
    const options = { base: "nodejs:22", arch: "arm64", envFile: "vars", exclude: ["vars", "Dockerfile"] };
    const packed = await docker(["pack", directory, JSON.stringify(options)]);
    assert.deepEqual([packed.status, packed.stderr], [0, ""]);
    assert.match(packed.stdout, /^lambda-pack-[0-9a-f]{64}\n$/);
    const uri = `${registry.host}/packed:v1`;
    assert.equal(
      (await docker(["login", "--username", "AWS", "--password-stdin", registry.host], "token\n")).status,
      0,
    );
    assert.equal((await docker(["tag", packed.stdout.trim(), uri])).status, 0);
    assert.equal((await docker(["push", uri])).status, 0);
    const manifest = JSON.parse(String(registry.manifest("packed", "v1")));
    const { config } = JSON.parse(String(registry.blob("packed", manifest.config.digest)));
    assert.deepEqual([config.Cmd, config.Env.at(-1)], [["app.handler"], "STAGE=test"]);
  });

  it("refuses to pack with options that are not JSON object, or not of a build", async () => {
    const { docker, directory } = machine();
    assert.match((await docker(["pack", directory, "[1"])).stderr, /are not a JSON object/);
    assert.match(
      (await docker(["pack", directory, '{"bas":"x"}'])).stderr,
      /no option "bas"\n {2}fix: did you mean base\?/,
    );
  });
});
