import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
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
import { hexOf } from "../../../src/oci/digest.ts";
import { lambdaBase, publishBase } from "../../support/base.ts";
import { TestRegistry } from "../../support/registry.ts";
import { NOBODY_LISTENS } from "../../support/serve.ts";
import { makeFifo, makeTree, noise, type Tree, temporaryFolder } from "../../support/trees.ts";

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
  const cacheDirectory = join(temporaryFolder(), "cache");
  const out = join(temporaryFolder(), "out");
  const events: BuildEvent[] = [];
  const options: BuildOptions = {
    directory: "unset",
    base: "python:3.12",
    to: `oci:${out}`,
    cacheDirectory,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryFolder() },
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

describe("a build", () => {
  it("puts the folder over the base, with the handler that it finds as CMD", async () => {
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

  it("tells what it made: destinations by digest, base, layers and how they came to be", async () => {
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

  it("names the base and its digest in labels", async () => {
    const { out, build } = world({ labels: { team: "a" } });
    const { digest } = await build(makeTree(APP));
    assert.deepEqual(readImage(out, digest).config.config.Labels, {
      "org.opencontainers.image.base.name": "public.ecr.aws/lambda/python:3.12",
      "org.opencontainers.image.base.digest": lambdaBase("x86_64").manifest.descriptor.digest,
      team: "a",
    });
  });

  it("takes the child of the index for --arch", async () => {
    const { out, build } = world({ architecture: "arm64" });
    const { digest, platform } = await build(makeTree(APP));
    assert.equal(platform, "linux/arm64");
    assert.equal(readImage(out, digest).config.architecture, "arm64");
  });

  it("gives one digest in another folder, with other times, modes, order and time zone", async () => {
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

  it("gives one digest wherever the base was pulled from, and whatever a file that holds it is called", async () => {
    await publishBase(registry, "mirror/of/aws/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
    const mirrored = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/mirror/of/aws` } });
    const directory = makeTree(APP);
    assert.equal((await mirrored.build(directory)).digest, (await world().build(directory)).digest);
    const fromFile = async () => {
      const layout = `oci:${join(temporaryFolder(), "base")}`;
      const { cacheDirectory = "", environment = {} } = world().options;
      await push({ source: `${registry.host}/lambda/python:3.12`, to: layout, cacheDirectory, environment });
      return (await world({ base: layout }).build(directory)).digest;
    };
    assert.equal(await fromFile(), await fromFile());
  });

  it("carries SOURCE_DATE_EPOCH, and refuses one that is none", async () => {
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

  it("puts dependencies below the app, and hand-cut layers below both", async () => {
    const tree = { ...APP, "node_modules/a/index.js": "1", "models/m.bin": "m" };
    const { layers } = await world({ layers: [{ name: "models", glob: "models" }] }).build(makeTree(tree));
    assert.deepEqual(
      layers.slice(2).map(({ name }) => name),
      ["models", "deps", "app"],
    );
  });

  it("puts the bootstrap of an OS-only base where that starts it", async () => {
    const { out, build } = world({ base: "provided:al2023" });
    const { digest } = await build(makeTree({ bootstrap: "#!/bin/sh\n", "lib.sh": "x" }));
    const { manifest, config } = readImage(out, digest);
    assert.deepEqual(config.config.Cmd, ["bootstrap"]);
    const names = namesIn(gunzipSync(readBlob(out, manifest.layers[2].digest)));
    assert.ok(names.includes("var/runtime/bootstrap") && names.includes("var/task/lib.sh"), names.join());
  });

  it("writes an image of its own where the base is scratch", async () => {
    const { out, build } = world({ base: "scratch", architecture: "arm64", entrypoint: ["/var/task/main"] });
    const { digest, base } = await build(makeTree({ main: { file: "x", mode: 0o755 } }));
    assert.deepEqual(base, { reference: "scratch" });
    assert.equal(readImage(out, digest).config.architecture, "arm64");
  });

  it("writes the media types that are asked for", async () => {
    const { out, build } = world({ format: "oci" });
    const { digest } = await build(makeTree(APP));
    const types = readImage(out, digest).manifest.layers.map(
      ({ mediaType }: { mediaType: string }) => mediaType,
    );
    assert.deepEqual(new Set(types), new Set(["application/vnd.oci.image.layer.v1.tar+gzip"]));
  });

  it("leaves its own output and cache out of the image", async () => {
    const directory = makeTree(APP);
    const { build } = world({
      to: `oci:${join(directory, "out")}`,
      cacheDirectory: join(directory, "cache"),
    });
    const first = await build(directory);
    assert.equal((await build(directory)).digest, first.digest);
  });

  it("with dryRun sends nothing and still says the digest", async () => {
    const { out, build } = world({ dryRun: true });
    const { digest, destinations } = await build(makeTree(APP));
    assert.deepEqual(destinations, []);
    assert.equal(existsSync(out), false);
    assert.equal((await world().build(makeTree(APP))).digest, digest);
  });

  it("reads base layers only for a destination that lacks them", async () => {
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

  it("needs no network once the cache has the base", async () => {
    const { options, build: buildHere } = world();
    const directory = makeTree(APP);
    const { digest } = await buildHere(directory);
    const before = registry.requests.length;
    const again = await build({
      ...options,
      directory,
      offline: true,
      to: `oci:${join(temporaryFolder(), "again")}`,
    });
    assert.equal(again.digest, digest);
    assert.equal(registry.requests.length, before);
  });

  it("without the base in the cache says that it is offline", async () => {
    await assert.rejects(world({ offline: true }).build(makeTree(APP)), {
      code: "OFFLINE",
      message: /lambda\/python:3\.12 is not in the cache/,
    });
  });
});

describe("a build to a registry", () => {
  it("tags the image with every tag, and sends every blob once", async () => {
    const { build } = world({ to: `${registry.host}/team/app:v1`, tags: ["v2"] });
    const { digest, reference } = await build(makeTree(APP));
    assert.equal(reference, `${registry.host}/team/app@${digest}`);
    assert.equal(registry.tag("team/app", "v1"), digest);
    assert.equal(registry.tag("team/app", "v2"), digest);
  });

  it("the second time moves no blob and asks at most three times", async () => {
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

  it("sends a blob after all that the registry only said it had", async () => {
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

  it("to two destinations at once reads the base once", async () => {
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

describe("bad input", () => {
  const refuses = async (directory: string, expected: object, more: Partial<BuildOptions> = {}) => {
    const scene = world(more);
    await assert.rejects(scene.build(directory), { name: /LambdaPackError|RegistryError/, ...expected });
    assertNothingLeft(scene);
  };

  it("a folder that is missing", () =>
    refuses("/nowhere/at/all", { code: "DIRECTORY_UNREADABLE", message: /\/nowhere\/at\/all/ }));
  it("a file where a folder should be", () =>
    refuses(join(makeTree(APP), "app.py"), { code: "DIRECTORY_UNREADABLE" }));
  it("an empty folder", () => refuses(makeTree({ sub: null }), { code: "DIRECTORY_EMPTY" }));
  it("a folder of which the ignore file leaves nothing", () =>
    refuses(makeTree({ ...APP, ".lambdaignore": "*\n" }), { code: "DIRECTORY_EMPTY" }));
  it("a handler that is not there", () =>
    refuses(makeTree(APP), { code: "HANDLER_NOT_FOUND", message: /main\.run/ }, { handler: "main.run" }));
  it("a handler whose file is an empty folder", () =>
    refuses(
      makeTree({ "app.py": null, "x.txt": "" }),
      { code: "HANDLER_NOT_FOUND" },
      { handler: "app.handler" },
    ));
  it("a folder without a usual handler", () =>
    refuses(makeTree({ "x.txt": "" }), {
      code: "HANDLER_NOT_FOUND",
      message: /app\.handler.*lambda_function\.lambda_handler/,
    }));
  it("a name with a newline", () => refuses(makeTree({ ...APP, "a\nb": "" }), { code: "FILE_NAME" }));
  it("a private key", () =>
    refuses(makeTree({ ...APP, "key.pem": "-----BEGIN PRIVATE KEY-----\n" }), {
      code: "SECRET_FOUND",
      message: /key\.pem/,
    }));
  it("a FIFO", () => {
    const directory = makeTree(APP);
    makeFifo(join(directory, "pipe"));
    return refuses(directory, { code: "FILE_KIND", message: /pipe/ });
  });
  it("a path longer than Linux can open", () =>
    refuses(makeTree(APP), { code: "FILE_NAME" }, { target: `/${"d".repeat(200)}`.repeat(21) }));

  it("a name that is not UTF-8", async () => {
    const directory = makeTree(APP);
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.of(0xff, 0xfe)]), "");
    await refuses(directory, { code: "FILE_NAME", message: /\\xff\\xfe/ });
  });

  it("a reference with a typo", () =>
    refuses(makeTree(APP), { code: "REFERENCE_INVALID" }, { base: "Python:3.12" }));
  it("a base that AWS does not have", () =>
    refuses(
      makeTree(APP),
      { code: "REFERENCE_INVALID", message: /python:3\.1[0-9]/ },
      { base: "python:3.21" },
    ));
  it("a base that is not in the registry", () =>
    refuses(makeTree(APP), { code: "IMAGE_NOT_FOUND" }, { base: "ruby:3.3" }));
  it("a base without the architecture", () =>
    refuses(
      makeTree({ bootstrap: "x" }),
      { code: "PLATFORM_NOT_FOUND", message: /linux\/amd64/ },
      { base: "provided:al2023", architecture: "arm64" },
    ));
  it("a layout that is missing", () =>
    refuses(makeTree(APP), { code: "IMAGE_NOT_FOUND" }, { base: "oci:/nowhere/at/all" }));
  it("a destination by digest", () =>
    refuses(makeTree(APP), { code: "USAGE" }, { to: `oci:out@sha256:${"a".repeat(64)}` }));
  it("a tag that is none", () => refuses(makeTree(APP), { code: "USAGE" }, { tags: ["not a tag"] }));

  it("a file that vanishes while it is read", async () => {
    const directory = makeTree({ ...APP, "big.bin": noise(3_000_000), "zz.txt": "gone soon" });
    const scene = world();
    const onEvent = ({ type }: BuildEvent) => {
      if (type === "files-collected")
        renameSync(join(directory, "zz.txt"), join(temporaryFolder(), "zz.txt"));
    };
    await assert.rejects(build({ ...scene.options, directory, onEvent }), {
      code: "FILE_CHANGED",
      message: /zz\.txt/,
    });
    assertNothingLeft(scene);
  });

  it("a link out of the folder stays a link and is told", async () => {
    const directory = makeTree(APP);
    symlinkSync("/etc/passwd", join(directory, "escape"));
    const { events, build } = world();
    await build(directory);
    assert.ok(events.some((event) => event.type === "warning" && event.message.includes("escape")));
  });
});

describe("a registry that", () => {
  it("is down", async () => {
    const scene = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${NOBODY_LISTENS.host}/lambda` } });
    await assert.rejects(scene.build(makeTree(APP)), { code: "REGISTRY_UNREACHABLE" });
    assertNothingLeft(scene);
  });

  for (const [status, code] of [
    [401, "CREDENTIALS_INVALID"],
    [403, "DENIED"],
    [404, "IMAGE_NOT_FOUND"],
  ] as const) {
    it(`says ${status} to a pull`, async () => {
      const faulty = await TestRegistry.start();
      after(() => faulty.stop());
      faulty.fault = ({ kind }) =>
        kind === "get manifest" || kind === "head manifest" ? { kind: "answer", status } : undefined;
      const scene = world({ environment: { LAMBDA_PACK_BASE_REGISTRY: `${faulty.host}/lambda` } });
      await assert.rejects(scene.build(makeTree(APP)), { code, status });
      assertNothingLeft(scene);
    });
  }

  it("says 403 to a push", async () => {
    const faulty = await TestRegistry.start();
    after(() => faulty.stop());
    faulty.fault = ({ kind }) =>
      kind === "start upload" || kind === "mount" ? { kind: "answer", status: 403 } : undefined;
    await assert.rejects(world({ to: `${faulty.host}/app:v1` }).build(makeTree(APP)), {
      code: "DENIED",
      status: 403,
    });
    assert.equal(faulty.tag("app", "v1"), undefined);
  });

  for (const what of ["get blob", "get manifest"] as const) {
    it(`gives other bytes for ${what} than it should`, async () => {
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

describe("stopping a build", () => {
  it("ends it with ABORTED and leaves nothing", async () => {
    const stop = new AbortController();
    const scene = world({ signal: stop.signal });
    const onEvent = ({ type }: BuildEvent) => type === "layer-progress" && stop.abort();
    const directory = makeTree({ ...APP, "big.bin": noise(4_000_000) });
    await assert.rejects(build({ ...scene.options, directory, onEvent }), { code: "ABORTED" });
    assertNothingLeft(scene);
  });

  it("before it begins does nothing", async () => {
    const scene = world({ signal: AbortSignal.abort() });
    await assert.rejects(scene.build(makeTree(APP)), { code: "ABORTED" });
    assertNothingLeft(scene);
  });
});

describe("a push", () => {
  it("moves an image from any medium to any other, and its digest stays", async () => {
    const { out, options, build } = world();
    const { digest } = await build(makeTree(APP));
    const folder = temporaryFolder();
    const { cacheDirectory = "", environment = {} } = options;
    const road = [
      `oci:${out}`,
      `${registry.host}/road:v1`,
      `oci-archive:${folder}/a.tar`,
      `oci:${folder}/second:v1`,
      `${registry.host}/road2:v1`,
    ];
    for (const [index, source] of road.slice(0, -1).entries()) {
      const result = await push({ source, to: road[index + 1] ?? "", cacheDirectory, environment });
      assert.equal(result.digest, digest, `${source} -> ${road[index + 1]}`);
    }
    assert.equal(registry.tag("road2", "v1"), digest);
  });

  it("through a docker-archive keeps the config and every layer", async () => {
    const { out, options, build } = world();
    const { digest } = await build(makeTree(APP));
    const { manifest } = readImage(out, digest);
    const folder = temporaryFolder();
    const { cacheDirectory = "", environment = {} } = options;
    await push({ source: `oci:${out}`, to: `docker-archive:${folder}/a.tar`, cacheDirectory, environment });
    mkdirSync(join(folder, "x"));
    const back = await push({
      source: `docker-archive:${folder}/a.tar`,
      to: `oci:${folder}/x/back`,
      cacheDirectory,
      environment,
    });
    const returned = readImage(join(folder, "x", "back"), back.digest).manifest;
    assert.equal(hexOf(returned.config.digest), hexOf(manifest.config.digest));
    assert.deepEqual(
      returned.layers.map((l: { digest: string }) => l.digest),
      manifest.layers.map((l: { digest: string }) => l.digest),
    );
  });

  it("knows AWS's bases by their short names, as a build does", async () => {
    const { cacheDirectory = "", environment = {} } = world().options;
    const to = `oci:${join(temporaryFolder(), "base")}`;
    const { digest } = await push({ source: "python:3.12", to, cacheDirectory, environment });
    assert.equal(digest, lambdaBase("x86_64").manifest.descriptor.digest);
  });

  it("without a destination is refused", async () => {
    await assert.rejects(push({ source: "oci:x", to: [] }), { code: "USAGE" });
  });
});
