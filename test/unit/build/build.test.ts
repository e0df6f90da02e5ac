import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { type BuildEvent, type BuildOptions, build, push } from "../../../src/index.ts";
import { NOBODY_LISTENS } from "../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { answered } from "../../support/registry/repository.ts";
import { makeFifo, makeTree, noise, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(event, context):\n    return event\n", "data/a.txt": "a" };

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
  await publishBase(registry, "lambda/provided", "al2023", lambdaBase("x86_64", "oci"));
});
after(() => registry.stop());

/** A build in a world of its own: its cache, its environment, its output. */
function world(more: Partial<BuildOptions> = {}) {
  const cacheDirectory = join(temporaryDirectory(), "cache");
  const out = join(temporaryDirectory(), "out");
  const events: BuildEvent[] = [];
  const options: BuildOptions = {
    directory: "unset",
    base: "python:3.12",
    to: `oci:${out}`,
    cacheDir: cacheDirectory,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event) => events.push(event),
    ...more,
  };
  return {
    options,
    out,
    events,
    cacheDirectory,
    build: (directory: string) => build({ ...options, directory }),
  };
}

function readBlob(layout: string, digest: string): Buffer {
  return readFileSync(join(layout, "blobs", "sha256", digest.slice("sha256:".length)));
}

function readImage(layout: string, digest: string) {
  const manifest = JSON.parse(String(readBlob(layout, digest)));
  return { manifest, config: JSON.parse(String(readBlob(layout, manifest.config.digest))) };
}

/** Names in a tar, from its headers. */
function namesIn(tar: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    names.push(tar.toString("utf8", at, tar.indexOf(0, at)));
    at += 512 + Math.ceil(Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8) / 512) * 512;
  }
  return names;
}

describe("build", () => {
  it("build puts the directory's files over the base and the handler that it finds in CMD", async () => {
    const { out, build } = world();
    const result = await build(makeTree(APP));
    const { manifest, config } = readImage(out, result.digest);
    assert.deepEqual(config.config.Cmd, ["app.handler"]);
    assert.deepEqual(config.config.Entrypoint, ["/lambda-entrypoint.sh"]);
    assert.equal(manifest.layers.length, 3);
    const names = namesIn(gunzipSync(readBlob(out, manifest.layers[2].digest)));
    assert.deepEqual(names, [
      "var/",
      "var/task/",
      "var/task/app.py",
      "var/task/data/",
      "var/task/data/a.txt",
    ]);
  });

  it("build returns destinations by digest, the base, and the layers with how each was made", async () => {
    const { out, build } = world();
    const result = await build(makeTree(APP));
    assert.equal(result.reference, `oci:${out}@${result.digest}`);
    assert.deepEqual(result.destinations, [{ reference: result.reference, digest: result.digest }]);
    assert.equal(result.base.reference, `${registry.host}/lambda/python:3.12`);
    assert.equal(result.base.digest, lambdaBase("x86_64").manifest.descriptor.digest);
    assert.equal(result.platform, "linux/amd64");
    assert.deepEqual(
      result.layers.map(({ name, how, files }) => [name, how, files]),
      [
        ["base 1", "base", 0],
        ["base 2", "base", 0],
        ["app", "built", 2],
      ],
    );
  });

  it("build writes the base and its digest to labels of the image", async () => {
    const { out, build } = world({ label: { team: "a" } });
    const { digest } = await build(makeTree(APP));
    assert.deepEqual(readImage(out, digest).config.config.Labels, {
      "org.opencontainers.image.base.name": "public.ecr.aws/lambda/python:3.12",
      "org.opencontainers.image.base.digest": lambdaBase("x86_64").manifest.descriptor.digest,
      team: "a",
    });
  });

  it("build sets the variables of --env-file, a later file over an earlier one and --env over all", async () => {
    const files = makeTree({ "a.env": 'A="from a"\nB=a\nC=a\n', "b.env": "B=b\n# D=no\nC=b\n" });
    const envFile = [join(files, "a.env"), join(files, "b.env")];
    const { out, build } = world({ envFile, env: { C: "env" } });
    const { digest } = await build(makeTree(APP));
    const variables: readonly string[] = readImage(out, digest).config.config.Env;
    assert.deepEqual(
      variables.filter((one) => /^[A-D]=/.test(one)),
      ["A=from a", "B=b", "C=env"],
    );
  });

  it("build refuses an --env-file that cannot be read, and names it", async () => {
    const { build } = world({ envFile: "missing.env" });
    await assert.rejects(build(makeTree(APP)), {
      code: "USAGE",
      message: "the file of variables missing.env cannot be read",
    });
  });

  it("build takes the image for --arch from an index", async () => {
    const { out, build } = world({ arch: "arm64" });
    const { digest, platform } = await build(makeTree(APP));
    assert.equal(platform, "linux/arm64");
    assert.equal(readImage(out, digest).config.architecture, "arm64");
  });

  it("build gives one digest whatever the directory, file times, modes, order and time zone", async () => {
    const first = await world().build(makeTree({ "x.sh": { file: "#!/bin/sh\n", mode: 0o755 }, ...APP }));
    const other = makeTree({
      "data/a.txt": "a",
      "app.py": String(APP["app.py"]),
      "x.sh": { file: "#!/bin/sh\n", mode: 0o700 },
    });
    chmodSync(join(other, "app.py"), 0o600);
    utimesSync(join(other, "app.py"), 1, 1);
    const zone = process.env["TZ"];
    process.env["TZ"] = "Asia/Kathmandu";
    const second = await world()
      .build(other)
      .finally(() => {
        if (zone === undefined) delete process.env["TZ"];
        else process.env["TZ"] = zone;
      });
    assert.equal(second.digest, first.digest);
  });

  it("build gives one digest wherever the base was pulled from and whatever its layout is called", async () => {
    await publishBase(registry, "mirror/of/aws/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
    const mirrored = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/mirror/of/aws` } });
    const directory = makeTree(APP);
    assert.equal((await mirrored.build(directory)).digest, (await world().build(directory)).digest);
    const fromFile = async () => {
      const layout = `oci:${join(temporaryDirectory(), "base")}`;
      const { cacheDir = "", environment = {} } = world().options;
      await push({
        source: `${registry.host}/lambda/python:3.12`,
        to: layout,
        cacheDir: cacheDir,
        environment,
      });
      return (await world({ base: layout }).build(directory)).digest;
    };
    assert.equal(await fromFile(), await fromFile());
  });

  it("build writes SOURCE_DATE_EPOCH to the image and refuses a value that is no time", async () => {
    const environment = {
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      SOURCE_DATE_EPOCH: "1700000000",
    };
    const { out, build } = world({ environment });
    const { digest } = await build(makeTree(APP));
    assert.equal(readImage(out, digest).config.created, "2023-11-14T22:13:20Z");
    for (const text of ["yesterday", "-1", "1.5", String(2 ** 50)]) {
      const bad = world({ environment: { ...environment, SOURCE_DATE_EPOCH: text } });
      await assert.rejects(bad.build(makeTree(APP)), { code: "SOURCE_DATE_EPOCH_INVALID" }, text);
    }
  });

  it("build puts dependencies below the app, and layers of --layer below both", async () => {
    const tree = { ...APP, "node_modules/a/index.js": "1", "models/m.bin": "m" };
    const { layers } = await world({ layer: [{ name: "models", glob: "models" }] }).build(makeTree(tree));
    assert.deepEqual(
      layers.slice(2).map(({ name }) => name),
      ["models", "deps", "app"],
    );
  });

  it("build puts bootstrap where an OS-only base starts it", async () => {
    const { out, build } = world({ base: "provided:al2023" });
    const { digest } = await build(makeTree({ bootstrap: "#!/bin/sh\n", "lib.sh": "x" }));
    const { manifest, config } = readImage(out, digest);
    assert.deepEqual(config.config.Cmd, ["bootstrap"]);
    const names = namesIn(gunzipSync(readBlob(out, manifest.layers[2].digest)));
    assert.ok(names.includes("var/runtime/bootstrap") && names.includes("var/task/lib.sh"), names.join());
  });

  it("build from scratch writes an image without base layers", async () => {
    const { out, build } = world({ base: "scratch", arch: "arm64", entrypoint: ["/var/task/main"] });
    const { digest, base } = await build(makeTree({ main: { file: "x", mode: 0o755 } }));
    assert.deepEqual(base, { reference: "scratch" });
    assert.equal(readImage(out, digest).config.architecture, "arm64");
  });

  it("build writes the media types of --format", async () => {
    const { out, build } = world({ format: "oci" });
    const { digest } = await build(makeTree(APP));
    const types = readImage(out, digest).manifest.layers.map(
      ({ mediaType }: { mediaType: string }) => mediaType,
    );
    assert.deepEqual(new Set(types), new Set(["application/vnd.oci.image.layer.v1.tar+gzip"]));
  });

  it("build leaves its own output and cache out of the image", async () => {
    const directory = makeTree(APP);
    const { build } = world({
      to: `oci:${join(directory, "out")}`,
      cacheDir: join(directory, "cache"),
    });
    const first = await build(directory);
    assert.equal((await build(directory)).digest, first.digest);
  });

  it("build with dryRun sends nothing and returns the digest of a real build", async () => {
    const { out, build } = world({ dryRun: true });
    const { digest, destinations } = await build(makeTree(APP));
    assert.deepEqual(destinations, []);
    assert.equal(existsSync(out), false);
    assert.equal((await world().build(makeTree(APP))).digest, digest);
  });

  it("build downloads layers of the base only for a destination that does not have them", async () => {
    const to = `${registry.host}/shallow:v1`;
    for (const layer of lambdaBase("x86_64").layers)
      registry.addBlob("shallow", registry.blob("lambda/python", layer.descriptor.digest) ?? Buffer.alloc(0));
    const before = registry.seen("get blob").length;
    const { stats } = await world({ to }).build(makeTree(APP));
    assert.equal(stats.received, 0);
    const read = registry.seen("get blob").slice(before);
    assert.deepEqual(
      read.map(({ reference }) => reference),
      [lambdaBase("x86_64").config.descriptor.digest],
    );
  });

  it("build --offline makes no request once the cache has the base", async () => {
    const { options, build: buildHere } = world();
    const directory = makeTree(APP);
    const { digest } = await buildHere(directory);
    const before = registry.requests.length;
    const again = await build({
      ...options,
      directory,
      offline: true,
      to: `oci:${join(temporaryDirectory(), "again")}`,
    });
    assert.equal(again.digest, digest);
    assert.equal(registry.requests.length, before);
  });

  it("build --offline without the base in the cache fails with OFFLINE", async () => {
    await assert.rejects(world({ offline: true }).build(makeTree(APP)), {
      code: "OFFLINE",
      message: /lambda\/python:3\.12 is not in the cache/,
    });
  });
});

describe("a build to a registry", () => {
  it("build to a registry writes every tag", async () => {
    const { build } = world({ to: `${registry.host}/team/app:v1`, tag: ["v2"] });
    const { digest, reference } = await build(makeTree(APP));
    assert.equal(reference, `${registry.host}/team/app@${digest}`);
    assert.equal(registry.tag("team/app", "v1"), digest);
    assert.equal(registry.tag("team/app", "v2"), digest);
  });

  it("build to a registry for the second time sends no blob and takes at most three requests", async () => {
    const { build } = world({ to: `${registry.host}/twice:v1` });
    const directory = makeTree(APP);
    await build(directory);
    const before = registry.requests.length;
    const { stats } = await build(directory);
    const asked = registry.requests
      .slice(before)
      .filter(({ kind, repository }) => kind !== "ping" && repository === "twice");
    assert.ok(asked.length <= 3, asked.map(({ kind }) => kind).join());
    assert.deepEqual([stats.sent, stats.received], [0, 0]);
  });

  it("build sends a blob that the registry claimed to have and did not", async () => {
    const forgetful = await TestRegistry.start();
    after(() => forgetful.stop());
    const { digest: base, size } = lambdaBase().layers[0]?.descriptor ?? assert.fail();
    forgetful.fault = ({ kind, reference }) =>
      kind === "head blob" && reference === base
        ? { kind: "change", change: () => ({ status: 200, headers: { "content-length": String(size) } }) }
        : undefined;
    const { digest } = await world({ to: `${forgetful.host}/app:v1` }).build(makeTree(APP));
    assert.equal(forgetful.tag("app", "v1"), digest);
    assert.ok(forgetful.blob("app", base));
    assert.equal(forgetful.seen("put manifest").length, 2);
  });

  it("build to two destinations downloads each layer of the base once", async () => {
    const { build } = world({ to: [`${registry.host}/one:v1`, `${registry.host}/two:v1`] });
    const before = registry.seen("get blob").length;
    const { destinations } = await build(makeTree(APP));
    assert.equal(destinations.length, 2);
    const read = registry
      .seen("get blob")
      .slice(before)
      .map(({ reference }) => reference);
    assert.equal(new Set(read).size, read.length);
  });
});

/** Nothing is left of a build that failed: no output, no half of a cache entry. */
function assertNothingLeft({
  out,
  cacheDirectory,
}: {
  readonly out: string;
  readonly cacheDirectory: string;
}): void {
  assert.equal(existsSync(out), false, "output was left");
  const left = existsSync(cacheDirectory)
    ? readdirSync(cacheDirectory, { recursive: true, encoding: "utf8" })
    : [];
  assert.deepEqual(
    left.filter((name) => /partial|tmp/.test(name)),
    [],
  );
}

describe("build with wrong input", () => {
  const refuses = async (directory: string, expected: object, more: Partial<BuildOptions> = {}) => {
    const scene = world(more);
    await assert.rejects(scene.build(directory), expected);
    assertNothingLeft(scene);
  };

  it("build refuses a directory that does not exist", () =>
    refuses("/nowhere/at/all", { code: "DIRECTORY_UNREADABLE", message: /\/nowhere\/at\/all/ }));
  it("build refuses a file as source directory", () =>
    refuses(join(makeTree(APP), "app.py"), { code: "DIRECTORY_UNREADABLE" }));
  it("build refuses an empty directory", () => refuses(makeTree({ sub: null }), { code: "DIRECTORY_EMPTY" }));
  it("build refuses a directory of which the ignore file leaves nothing", () =>
    refuses(makeTree({ ...APP, ".lambdaignore": "*\n" }), { code: "DIRECTORY_EMPTY" }));
  it("build refuses a handler that does not exist", () =>
    refuses(makeTree(APP), { code: "HANDLER_NOT_FOUND", message: /main\.run/ }, { handler: "main.run" }));
  it("build refuses a handler whose file is an empty directory", () =>
    refuses(
      makeTree({ "app.py": null, "x.txt": "" }),
      { code: "HANDLER_NOT_FOUND" },
      { handler: "app.handler" },
    ));
  it("build without --handler names the usual handlers that it looked for", () =>
    refuses(makeTree({ "x.txt": "" }), {
      code: "HANDLER_NOT_FOUND",
      message: /app\.handler.*lambda_function\.lambda_handler/,
    }));
  it("build refuses a file name with a newline", () =>
    refuses(makeTree({ ...APP, "a\nb": "" }), { code: "FILE_NAME" }));
  it("build refuses a private key and names its file", () =>
    refuses(makeTree({ ...APP, "key.pem": "-----BEGIN PRIVATE KEY-----\n" }), {
      code: "SECRET_FOUND",
      message: /key\.pem/,
    }));
  it("build refuses a FIFO and names it", () => {
    const directory = makeTree(APP);
    makeFifo(join(directory, "pipe"));
    return refuses(directory, { code: "FILE_KIND", message: /pipe/ });
  });
  it("build refuses a path that is longer than Linux can open", () =>
    refuses(makeTree(APP), { code: "FILE_NAME" }, { target: `/${"d".repeat(200)}`.repeat(21) }));

  it("build refuses a file name that is not UTF-8 and shows its bytes", async () => {
    const directory = makeTree(APP);
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.of(0xff, 0xfe)]), "");
    await refuses(directory, { code: "FILE_NAME", message: /\\xff\\xfe/ });
  });

  it("build refuses a base that is not a valid reference", () =>
    refuses(makeTree(APP), { code: "REFERENCE_INVALID" }, { base: "Python:3.12" }));
  it("build refuses a version that AWS has no base for and names near ones", () =>
    refuses(
      makeTree(APP),
      { code: "REFERENCE_INVALID", message: /python:3\.1[0-9]/ },
      { base: "python:3.21" },
    ));
  it("build refuses a base that the registry does not have", () =>
    refuses(makeTree(APP), { code: "IMAGE_NOT_FOUND" }, { base: "ruby:3.3" }));
  it("build refuses a base that has no image for --arch", () =>
    refuses(
      makeTree({ bootstrap: "#!/bin/sh\n" }),
      { code: "PLATFORM_NOT_FOUND", message: /linux\/amd64/ },
      { base: "provided:al2023", arch: "arm64" },
    ));
  it("build refuses a layout that does not exist as base", () =>
    refuses(makeTree(APP), { code: "IMAGE_NOT_FOUND" }, { base: "oci:/nowhere/at/all" }));
  it("build refuses a digest as destination", () =>
    refuses(makeTree(APP), { code: "USAGE" }, { to: `oci:out@sha256:${"a".repeat(64)}` }));
  it("build refuses a tag that is not valid", () =>
    refuses(makeTree(APP), { code: "USAGE" }, { tag: ["not a tag"] }));

  it("build fails with FILE_CHANGED when a file disappears after it was listed", async () => {
    const directory = makeTree({ ...APP, "big.bin": noise(3_000_000), "zz.txt": "gone soon" });
    const scene = world();
    const onEvent = ({ type }: BuildEvent) => {
      if (type === "files-collected")
        renameSync(join(directory, "zz.txt"), join(temporaryDirectory(), "zz.txt"));
    };
    await assert.rejects(build({ ...scene.options, directory, onEvent }), {
      code: "FILE_CHANGED",
      message: /zz\.txt/,
    });
    assertNothingLeft(scene);
  });

  it("build keeps a link that leads out of the directory and warns about it", async () => {
    const directory = makeTree(APP);
    symlinkSync("/etc/passwd", join(directory, "escape"));
    const { events, build } = world();
    await build(directory);
    assert.ok(events.some((event) => event.type === "warning" && event.message.includes("escape")));
  });
});

describe("build with a registry that fails", () => {
  it("build fails with REGISTRY_UNREACHABLE when the registry is down", async () => {
    const scene = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${NOBODY_LISTENS.host}/lambda` } });
    await assert.rejects(scene.build(makeTree(APP)), { code: "REGISTRY_UNREACHABLE" });
    assertNothingLeft(scene);
  });

  for (const [status, code] of [
    [401, "CREDENTIALS_INVALID"],
    [403, "DENIED"],
    [404, "IMAGE_NOT_FOUND"],
  ] as const) {
    it(`build fails when the registry answers a pull with ${status}`, async () => {
      const faulty = await TestRegistry.start();
      after(() => faulty.stop());
      faulty.fault = ({ kind }) =>
        kind === "get manifest" || kind === "head manifest" ? { kind: "answer", status } : undefined;
      const scene = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${faulty.host}/lambda` } });
      await assert.rejects(scene.build(makeTree(APP)), answered(status, { code }));
      assertNothingLeft(scene);
    });
  }

  it("build fails with DENIED when the registry answers a push with 403", async () => {
    const faulty = await TestRegistry.start();
    after(() => faulty.stop());
    faulty.fault = ({ kind }) =>
      kind === "start upload" || kind === "mount" ? { kind: "answer", status: 403 } : undefined;
    await assert.rejects(
      world({ to: `${faulty.host}/app:v1` }).build(makeTree(APP)),
      answered(403, { code: "DENIED" }),
    );
    assert.equal(faulty.tag("app", "v1"), undefined);
  });

  for (const what of ["get blob", "get manifest"] as const) {
    it(`build refuses other bytes for ${what} than their digest names`, async () => {
      const faulty = await TestRegistry.start();
      after(() => faulty.stop());
      await publishBase(faulty, "lambda/python", "3.12", lambdaBase(), lambdaBase("arm64"));
      const flip = (bytes: Uint8Array = Buffer.alloc(0)) =>
        Buffer.from(bytes).fill((bytes[9] ?? 0) ^ 1, 9, 10);
      faulty.fault = ({ kind, reference }) =>
        kind === what && reference.startsWith("sha256:")
          ? { kind: "change", change: (answer) => ({ ...answer, body: flip(answer.body) }) }
          : undefined;
      const scene = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${faulty.host}/lambda` } });
      await assert.rejects(scene.build(makeTree(APP)), { code: /CONTENT_MISMATCH|IMAGE_INVALID/ });
      assertNothingLeft(scene);
    });
  }
});

describe("build that is aborted", () => {
  it("build that is aborted fails with ABORTED and leaves nothing half-written", async () => {
    const stop = new AbortController();
    const scene = world({ signal: stop.signal });
    const onEvent = ({ type }: BuildEvent) => type === "layer-progress" && stop.abort();
    const directory = makeTree({ ...APP, "big.bin": noise(4_000_000) });
    await assert.rejects(build({ ...scene.options, directory, onEvent }), { code: "ABORTED" });
    assertNothingLeft(scene);
  });

  it("build with a signal that has aborted does nothing", async () => {
    const scene = world({ signal: AbortSignal.abort() });
    await assert.rejects(scene.build(makeTree(APP)), { code: "ABORTED" });
    assertNothingLeft(scene);
  });
});
