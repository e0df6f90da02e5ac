import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { type BuildEvent, type BuildOptions, build, check } from "../../../src/index.ts";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { platformOf } from "../../../src/oci/platform.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { layerOf } from "../../support/images/small-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
  const adapter = await layerOf({ "lambda-adapter": "the adapter", other: "not this" });
  const image = compose(emptyImage(platformOf("x86_64"), "oci"), {
    layers: [{ name: "a", layer: adapter }],
    created: new Date(0),
  });
  await publishBase(registry, "adapter", "1", image);
});
after(() => registry.stop());

const APP: Tree = { "app.py": "def handler(event, context):\n    return event\n", "lib/util.py": "x = 1\n" };

interface Built {
  readonly config: Readonly<Record<string, unknown>>;
  /** The texts of the files that the build added, by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly modes: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly digest: string;
}

async function buildTree(tree: Tree, more: Partial<BuildOptions> = {}): Promise<Built> {
  const directory = makeTree(tree);
  const out = join(temporaryDirectory(), "out");
  const events: BuildEvent[] = [];
  const result = await build({
    directory,
    file: join(directory, "Dockerfile"),
    to: `oci:${out}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event) => events.push(event),
    ...more,
  });
  const blob = (digest: string) => readFileSync(join(out, "blobs/sha256", digest.slice("sha256:".length)));
  const manifest = JSON.parse(String(blob(result.digest)));
  const { config } = JSON.parse(String(blob(manifest.config.digest)));
  const files: Record<string, string> = {};
  const modes: Record<string, number> = {};
  for (const { digest } of result.layers.filter(({ how }) => how !== "base")) {
    const archive = extract();
    archive.end(gunzipSync(blob(digest)));
    for await (const entry of archive) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
      if (entry.header.type === "file") files[entry.header.name] = Buffer.concat(chunks).toString();
      modes[entry.header.name] = entry.header.mode ?? 0;
    }
  }
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  return { config, files, modes, warnings, labels: config.Labels, digest: result.digest };
}

describe("build --file", () => {
  it("builds what the Dockerfile says over the base that FROM names", async () => {
    const { config, files, modes, labels } = await buildTree({
      ...APP,
      Dockerfile: `FROM public.ecr.aws/lambda/python:3.12
LABEL team=core
ENV MODE=test DATA="\${LAMBDA_TASK_ROOT}/data"
COPY app.py \${LAMBDA_TASK_ROOT}
COPY --chmod=755 lib /opt/lib/
CMD ["app.handler"]`,
    });
    assert.deepEqual(files, { "opt/lib/util.py": "x = 1\n", "var/task/app.py": APP["app.py"] });
    assert.equal(modes["opt/lib/util.py"], 0o755);
    assert.deepEqual(config["Cmd"], ["app.handler"]);
    assert.deepEqual(config["Entrypoint"], ["/lambda-entrypoint.sh"]);
    assert.ok(JSON.stringify(config["Env"]).includes('"DATA=/var/task/data"'));
    assert.equal(labels["team"], "core");
    assert.equal(labels["org.opencontainers.image.base.name"], "public.ecr.aws/lambda/python:3.12");
  });

  it("gives the digest of a build of the same directory without a Dockerfile", async () => {
    const Dockerfile = 'FROM public.ecr.aws/lambda/python:3.12\nCOPY . .\nCMD ["app.handler"]';
    const tree = { ...APP, Dockerfile, ".dockerignore": "Dockerfile\n" };
    const withFile = await buildTree(tree);
    const directory = makeTree(tree);
    const without = await build({
      directory,
      base: "python:3.12",
      to: `oci:${join(temporaryDirectory(), "out")}`,
      cacheDir: join(temporaryDirectory(), "cache"),
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    });
    assert.equal(withFile.digest, without.digest);
  });

  it("copies one file from an image, and reads no other", async () => {
    const { files, modes } = await buildTree({
      ...APP,
      Dockerfile: `FROM public.ecr.aws/lambda/python:3.12
COPY --from=${registry.host}/adapter:1 --chmod=755 /lambda-adapter /opt/extensions/lambda-adapter
COPY app.py ./
CMD ["app.handler"]`,
    });
    assert.equal(files["opt/extensions/lambda-adapter"], "the adapter");
    assert.equal(modes["opt/extensions/lambda-adapter"], 0o755);
    assert.ok(!("other" in files));
  });

  it("copies from an earlier stage without reading its base", async () => {
    const requests = registry.requests.length;
    const { files } = await buildTree({
      ...APP,
      Dockerfile: `FROM public.ecr.aws/lambda/python:3.12 AS build
WORKDIR /build
COPY lib ./lib
FROM public.ecr.aws/lambda/python:3.12
COPY --from=build /build/lib ./lib
COPY app.py ./
CMD ["app.handler"]`,
    });
    assert.deepEqual(Object.keys(files), ["var/task/app.py", "var/task/lib/util.py"]);
    const texts = registry.requests.slice(requests).map(({ path }) => path);
    assert.equal(texts.filter((path) => path.includes("/manifests/3.12")).length, 1, texts.join("\n"));
  });

  it("takes the architecture from FROM, and refuses another one", async () => {
    const Dockerfile =
      'FROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.12\nCOPY app.py ./\nCMD ["app.handler"]';
    const { digest } = await buildTree({ ...APP, Dockerfile });
    assert.notEqual(
      digest,
      (await buildTree({ ...APP, Dockerfile: Dockerfile.replace("arm64", "amd64") })).digest,
    );
    await assert.rejects(buildTree({ ...APP, Dockerfile }, { arch: "x86_64" }), {
      code: "DOCKERFILE_REFUSED",
      message: /Dockerfile:1: FROM is for arm64, and --arch is x86_64$/,
    });
  });

  it("lets options win over instructions", async () => {
    const Dockerfile =
      'ARG V=3.11\nFROM public.ecr.aws/lambda/python:$V\nENV A=1 B=1\nWORKDIR /x\nCOPY app.py /var/task/\nCMD ["no.no"]';
    const { config } = await buildTree(
      { ...APP, Dockerfile },
      { handler: "app.handler", env: { A: "2" }, workdir: "/var/task", buildArg: { V: "3.12" } },
    );
    assert.deepEqual(config["Cmd"], ["app.handler"]);
    assert.deepEqual(
      (config["Env"] as readonly string[]).filter((line) => /^[AB]=/.test(line)),
      ["A=2", "B=1"],
    );
    assert.equal(config["WorkingDir"], "/var/task");
  });

  it("tells what has no effect, with its line", async () => {
    const Dockerfile =
      'FROM public.ecr.aws/lambda/python:3.12\nUSER app\nCOPY --chown=1:1 app.py ./\nCMD ["app.handler"]';
    const { warnings } = await buildTree({ ...APP, Dockerfile });
    assert.match(warnings.join("\n"), /Dockerfile:2: USER has no effect/);
    assert.match(warnings.join("\n"), /Dockerfile:3: --chown has no effect/);
  });

  it("obeys the ignore file beside the Dockerfile before that of the context", async () => {
    const { files } = await buildTree({
      ...APP,
      Dockerfile: 'FROM public.ecr.aws/lambda/python:3.12\nCOPY . .\nCMD ["app.handler"]',
      ".dockerignore": "app.py\n",
      "Dockerfile.dockerignore": "lib\nDockerfile*\n",
    });
    assert.deepEqual(Object.keys(files), ["var/task/app.py"]);
  });

  it("refuses a line that takes a shell before the first request", async () => {
    const requests = registry.requests.length;
    const Dockerfile = "FROM public.ecr.aws/lambda/python:3.12\nRUN yum install -y gcc\nCOPY app.py ./";
    await assert.rejects(buildTree({ ...APP, Dockerfile }), {
      code: "DOCKERFILE_REFUSED",
      message: /Dockerfile:2: RUN yum/,
    });
    assert.equal(registry.requests.length, requests);
  });

  const WRONG: readonly (readonly [name: string, more: Partial<BuildOptions>, message: RegExp])[] = [
    [
      "a base beside a Dockerfile",
      { base: "python:3.12" },
      /^--base has no effect: the Dockerfile decides it$/,
    ],
    ["a target directory beside a Dockerfile", { target: "/opt" }, /^--target has no effect/],
    ["a stage that is not there", { stage: "prod" }, /has no stage prod$/],
  ];
  for (const [name, more, message] of WRONG)
    it(`refuses ${name}`, async () => {
      const tree = { ...APP, Dockerfile: "FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py ./" };
      await assert.rejects(buildTree(tree, more), { code: "USAGE", message });
    });

  it("leaves LAMBDA_PACK_BASE to builds without a Dockerfile", async () => {
    const Dockerfile = 'FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py ./\nCMD ["app.handler"]';
    const environment = {
      LAMBDA_PACK_BASE: "nodejs:22",
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      HOME: temporaryDirectory(),
    };
    const { labels } = await buildTree({ ...APP, Dockerfile }, { environment });
    assert.equal(labels["org.opencontainers.image.base.name"], "public.ecr.aws/lambda/python:3.12");
  });

  it("build --file is what check looks at with a Dockerfile", async () => {
    const directory = makeTree({
      ...APP,
      Dockerfile:
        'FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py ./\nCOPY app.py /opt/extensions/x\nCMD ["nothing.handler"]',
    });
    const { findings } = await check({
      source: directory,
      file: join(directory, "Dockerfile"),
      cacheDir: join(temporaryDirectory(), "cache"),
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    });
    const errors = findings.filter(({ severity }) => severity === "error").map(({ rule }) => rule);
    assert.deepEqual([...errors].sort(), ["extensions", "handler"]);
  });

  it("refuses a Dockerfile that is not there, and build arguments without one", async () => {
    await assert.rejects(buildTree(APP), { code: "FILE_UNREADABLE", message: /Dockerfile does not exist$/ });
    await assert.rejects(build({ directory: ".", base: "python:3.12", buildArg: { A: "1" } }), {
      code: "USAGE",
      message: "--build-arg has no effect: there is no Dockerfile",
    });
  });
});
