import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type BuildOptions, build } from "../../../../src/index.ts";
import { compose, emptyImage } from "../../../../src/oci/compose.ts";
import { platformOf } from "../../../../src/oci/platform.ts";
import { codeOf } from "../../../support/errors.ts";
import { makeWheel, type Wheel } from "../../../support/formats/wheels.ts";
import { serve } from "../../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { buildToLayout, filesInLayout } from "../../../support/images/built-layout.ts";
import { layerOf } from "../../../support/images/small-image.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  for (const tag of ["3.11", "3.12"])
    await publishBase(registry, "lambda/python", tag, lambdaBase("x86_64"), lambdaBase("arm64"));
});
after(() => registry.stop());

const APP: Tree = { "app.py": "def handler(event, context): return event\n" };

/** Wheels on 127.0.0.1, and which were asked for. */
async function wheelServer(t: TestContext, wheels: readonly Wheel[]) {
  const requests: string[] = [];
  const url = await serve(t, (request, response) => {
    requests.push(request.url ?? "");
    const wheel = wheels.find(({ file }) => request.url === `/${file}`);
    response.writeHead(wheel ? 200 : 404).end(wheel?.bytes ?? "");
  });
  return { url, requests };
}

/** A uv.lock of a project that needs these, each with its wheels. */
function uvLock(url: URL, wheels: readonly Wheel[]): string {
  const names = [...new Set(wheels.map(({ name }) => name))];
  const needs = names.map((name) => `{ name = "${name}" }`).join(", ");
  const packages = names.map((name) => {
    const own = wheels.filter((wheel) => wheel.name === name);
    const lines = own.map(
      ({ file, sha256, bytes }) =>
        `{ url = "${url}${file}", hash = "sha256:${sha256}", size = ${bytes.length} }`,
    );
    return `[[package]]\nname = "${name}"\nversion = "${own[0]?.version}"\nsource = { registry = "${url}" }\nwheels = [\n${lines.join(",\n")}\n]\n`;
  });
  return `version = 1\n[[package]]\nname = "app"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [${needs}]\n${packages.join("\n")}`;
}

async function run(tree: Tree, options: Partial<BuildOptions> = {}) {
  const directory = makeTree({ ...APP, ...tree });
  const built = await buildToLayout(registry, { directory, base: "python:3.12", install: true, ...options });
  return { ...built, files: await filesInLayout(built.layout) };
}

/** One pure package, and one with a wheel for each system. */
const WHEELS = [
  makeWheel("pure", "1.0"),
  makeWheel("native", "2.0", "cp312-cp312-manylinux_2_28_x86_64"),
  makeWheel("native", "2.0", "cp312-cp312-manylinux_2_34_aarch64"),
];

describe("build with install from a uv.lock", () => {
  it("packs the wheels for the target beside the handler, without what differs from machine to machine", async (t) => {
    const noisy = makeWheel("noisy", "1.0", "py3-none-any", {
      "noisy/__pycache__/x.cpython-312.pyc": "bytecode",
      "noisy/tool.sh": { content: "#!/bin/sh\n", mode: 0o755 },
      "bin/noisy": "#!/here/python\n",
      "noisy-1.0.data/scripts/noisy": "#!python\n",
      "noisy-1.0.data/headers/noisy.h": "int x;\n",
      "noisy-1.0.data/purelib/extra/__init__.py": "extra\n",
      "noisy-1.0.data/data/share/noisy.txt": "data\n",
      "noisy-1.0.dist-info/INSTALLER": "uv\n",
      "noisy-1.0.dist-info/licenses/LICENSE": "free\n",
    });
    const wheels = [...WHEELS, noisy];
    const { url } = await wheelServer(t, wheels);
    const { files, dependencies } = await run({ "uv.lock": uvLock(url, wheels) });
    const deps = [...files]
      .filter(([, { layer }]) => layer === "deps")
      .map(([path, { mode }]) => `${mode} ${path.replace("var/task/", "")}`);
    assert.deepEqual(deps.sort(), [
      "644 extra/__init__.py",
      "644 native-2.0.dist-info/METADATA",
      "644 native-2.0.dist-info/WHEEL",
      "644 native/__init__.py",
      "644 noisy-1.0.dist-info/METADATA",
      "644 noisy-1.0.dist-info/WHEEL",
      "644 noisy-1.0.dist-info/licenses/LICENSE",
      "644 noisy/__init__.py",
      "644 pure-1.0.dist-info/METADATA",
      "644 pure-1.0.dist-info/WHEEL",
      "644 pure/__init__.py",
      "644 share/noisy.txt",
      "755 noisy/tool.sh",
    ]);
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /manylinux_2_28_x86_64/);
    assert.deepEqual(
      dependencies?.packages.map(({ name, size }) => [name, size]),
      [
        ["native", WHEELS[1]?.bytes.length],
        ["noisy", noisy.bytes.length],
        ["pure", WHEELS[0]?.bytes.length],
      ],
    );
  });

  it("takes the wheel of the other architecture for arm64", async (t) => {
    const { url, requests } = await wheelServer(t, WHEELS);
    const { files } = await run({ "uv.lock": uvLock(url, WHEELS) }, { arch: "arm64" });
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /manylinux_2_34_aarch64/);
    assert.equal(requests.length, 2);
  });

  it("refuses a wheel for a newer glibc than Amazon Linux 2 has, by the name of the package", async (t) => {
    const wheels = [makeWheel("native", "2.0", "cp311-cp311-manylinux_2_28_x86_64")];
    const { url, requests } = await wheelServer(t, wheels);
    await assert.rejects(
      run({ "uv.lock": uvLock(url, wheels) }, { base: "python:3.11" }),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /^native 2.0 has no wheel for Python 3.11 on linux x86_64 \(glibc 2.26\); there is cp311 manylinux_2_28_x86_64$/,
      ),
    );
    assert.equal(requests.length, 0);
  });

  it("asks for nothing when the cache has the layer, and gives the same digest", async (t) => {
    const { url, requests } = await wheelServer(t, WHEELS);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const tree = { "uv.lock": uvLock(url, WHEELS) };
    const first = await run(tree, { cacheDir: cacheDirectory });
    const again = await run(tree, { cacheDir: cacheDirectory });
    assert.equal(requests.length, 2);
    assert.equal(again.digest, first.digest);
    assert.equal(again.dependencies?.how, "reused");
  });

  it("stops at a changed byte with both hashes", async (t) => {
    const [pure] = WHEELS;
    assert.ok(pure);
    const changed = { ...pure, bytes: Buffer.concat([pure.bytes, Buffer.from("x")]) };
    const { url } = await wheelServer(t, [changed]);
    await assert.rejects(
      run({ "uv.lock": uvLock(url, [pure]) }),
      codeOf("CONTENT_MISMATCH", /pure 1.0 from .* has the hash sha256-\S+, and the lock file has sha256-/),
    );
  });

  for (const path of ["../out.py", "/etc/out.py", "a/../../out.py", "a\\b.py"]) {
    it(`refuses a wheel with the file name ${path}`, async (t) => {
      const wheel = makeWheel("evil", "1.0", "py3-none-any", { [path]: "x" });
      const { url } = await wheelServer(t, [wheel]);
      await assert.rejects(
        run({ "uv.lock": uvLock(url, [wheel]) }),
        codeOf(
          "CONTENT_MISMATCH",
          /the archive of evil 1.0 has the file name .*, which leaves its directory/,
        ),
      );
    });
  }

  it("refuses what is not a wheel, though its hash is right", async (t) => {
    const [pure] = WHEELS;
    assert.ok(pure);
    const { createHash } = await import("node:crypto");
    const bytes = Buffer.from("no zip");
    const broken = { ...pure, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
    const { url } = await wheelServer(t, [broken]);
    await assert.rejects(
      run({ "uv.lock": uvLock(url, [broken]) }),
      codeOf("CONTENT_MISMATCH", /the archive of pure 1.0 cannot be read: .*not a zip file/),
    );
  });

  it("shows the user of .netrc to that host", async (t) => {
    const seen: (string | undefined)[] = [];
    const [pure] = WHEELS;
    assert.ok(pure);
    const url = await serve(t, (request, response) => {
      seen.push(request.headers.authorization);
      response.end(pure.bytes);
    });
    const home = makeTree({
      ".netrc": `machine other.example login a password b\nmachine ${url.hostname} login ada password s3cret\n`,
    });
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: home };
    await run({ "uv.lock": uvLock(url, [pure]) }, { environment });
    assert.deepEqual(seen, [`Basic ${Buffer.from("ada:s3cret").toString("base64")}`]);
  });
});

describe("the system that packages are installed for", () => {
  const LIBC = `...GNU C Library (Debian GLIBC 2.31-13) stable release version 2.31.\n`;

  const AL2 = { "lib64/libc-2.26.so": "", "var/lang/bin/python3.11": "" };
  const AL2023 = {
    "usr/lib64/libc.so.6": LIBC.replaceAll("2.31", "2.34"),
    "var/lang/bin/python3.12": "",
  };

  /** A base of no known name, or of one of AWS's, with these layers. */
  async function baseWith(...layersOfFiles: readonly Readonly<Record<string, string>>[]): Promise<string> {
    return publish(`other/base${Math.floor(performance.now() * 1000)}`, "v1", layersOfFiles);
  }

  async function publish(
    name: string,
    tag: string,
    layersOfFiles: readonly Readonly<Record<string, string>>[],
  ) {
    const made = await Promise.all(layersOfFiles.map((files) => layerOf(files)));
    const layers = made.map((layer, index) => ({ name: `layer ${index}`, layer }));
    const image = compose(emptyImage(platformOf("x86_64"), "oci"), {
      layers,
      created: new Date(0),
      cmd: ["x"],
      workingDir: "/var/task",
    });
    await publishBase(registry, name, tag, image);
    return `${registry.host}/${name}:${tag}`;
  }

  const options = { check: false, handler: "app.handler" } as const;

  it("the system that packages are installed for is read from the files of a base that is not one of AWS's", async (t) => {
    const wheels = ["manylinux_2_28", "manylinux_2_31", "manylinux_2_34"].map((tag) =>
      makeWheel("native", "2.0", `cp310-cp310-${tag}_x86_64`),
    );
    const { url } = await wheelServer(t, wheels);
    const base = await baseWith({
      "usr/lib/x86_64-linux-gnu/libc.so.6": LIBC,
      "usr/local/bin/python3.10": "",
      "usr/bin/python3.9": "",
    });
    const { files } = await run({ "uv.lock": uvLock(url, wheels) }, { base, ...options });
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /cp310-cp310-manylinux_2_31_x86_64/);
  });

  it("the system that packages are installed for is known by the name of Amazon Linux 2's libc", async (t) => {
    const wheels = [makeWheel("native", "2.0", "cp311-cp311-manylinux_2_28_x86_64")];
    const { url } = await wheelServer(t, wheels);
    const base = await baseWith(AL2);
    await assert.rejects(
      run({ "uv.lock": uvLock(url, wheels) }, { base, ...options }),
      codeOf("DEPENDENCY_UNAVAILABLE", /Python 3.11 on linux x86_64 \(glibc 2.26\)/),
    );
  });

  it("the system that packages are installed for is read from the files of an AWS base whose name promises a newer system", async (t) => {
    const wheels = [makeWheel("native", "2.0", "cp311-cp311-manylinux_2_28_x86_64")];
    const { url } = await wheelServer(t, wheels);
    await publish("lambda/python", "3.13", [AL2]);
    await assert.rejects(
      run({ "uv.lock": uvLock(url, wheels) }, { base: "python:3.13", ...options }),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /native 2.0 has no wheel for Python 3.11 on linux x86_64 \(glibc 2.26\)/,
      ),
    );
  });

  it("the system that packages are installed for is read from the files of an AWS base whose name promises an older system", async (t) => {
    const wheels = [makeWheel("native", "2.0", "cp312-cp312-manylinux_2_34_x86_64")];
    const { url } = await wheelServer(t, wheels);
    await publish("lambda/python", "3.9", [AL2023]);
    const { files } = await run({ "uv.lock": uvLock(url, wheels) }, { base: "python:3.9", ...options });
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /cp312-cp312-manylinux_2_34/);
  });

  it("the system that packages are installed for is that of the highest layer of the base that has it", async (t) => {
    const wheels = ["cp311-cp311-manylinux_2_17", "cp312-cp312-manylinux_2_34"].map((tag) =>
      makeWheel("native", "2.0", `${tag}_x86_64`),
    );
    const { url } = await wheelServer(t, wheels);
    const removed = { "lib64/.wh.libc-2.26.so": "", "var/lang/bin/.wh.python3.11": "" };
    const base = await baseWith(AL2, { ...removed, ...AL2023 });
    const { files } = await run({ "uv.lock": uvLock(url, wheels) }, { base, ...options });
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /cp312-cp312-manylinux_2_34/);
  });

  it("the system that packages are installed for is read once for a base, and remembered in the cache", async (t) => {
    const { url } = await wheelServer(t, WHEELS);
    const base = await baseWith(AL2023);
    const cacheDir = join(temporaryDirectory(), "cache");
    const directory = makeTree({ ...APP, "uv.lock": uvLock(url, WHEELS) });
    const environment = { HOME: temporaryDirectory() };
    const reads = async () => {
      const before = registry.seen("get blob").length;
      await build({ directory, base, install: true, ...options, cacheDir, dryRun: true, environment });
      return registry.seen("get blob").length - before;
    };
    assert.equal(await reads(), 2, "config and layer");
    rmSync(join(cacheDir, "blobs"), { recursive: true });
    mkdirSync(join(cacheDir, "blobs/sha256"), { recursive: true, mode: 0o700 });
    assert.equal(await reads(), 1, "config");
  });

  it("the system that packages are installed for is musl if the base has its loader", async (t) => {
    const wheels = ["manylinux_2_17", "musllinux_1_2"].map((tag) =>
      makeWheel("native", "2.0", `cp312-cp312-${tag}_x86_64`),
    );
    const { url } = await wheelServer(t, wheels);
    const base = await baseWith({ "lib/ld-musl-x86_64.so.1": "", "usr/local/bin/python3.12": "" });
    const { files } = await run({ "uv.lock": uvLock(url, wheels) }, { base, ...options });
    assert.match(files.get("var/task/native/__init__.py")?.text ?? "", /musllinux_1_2/);
  });

  it("without Python is refused for Python packages", async (t) => {
    const { url } = await wheelServer(t, WHEELS);
    const base = await baseWith({ "lib64/libc-2.26.so": "" });
    await assert.rejects(
      run({ "uv.lock": uvLock(url, WHEELS) }, { base, ...options }),
      codeOf("DEPENDENCY_UNAVAILABLE", /has no Python that packages could be for/),
    );
  });
});

describe("a directory with lock files of two languages", () => {
  it("a directory with lock files of two languages is installed for the base's language, and needs a word if the base tells none", async (t) => {
    const { url } = await wheelServer(t, WHEELS);
    const tree = {
      "uv.lock": uvLock(url, WHEELS),
      "package.json": "{}",
      "package-lock.json": '{"lockfileVersion":3,"packages":{"":{}}}',
    };
    assert.equal((await run(tree)).dependencies?.way, "uv-lock");
    await assert.rejects(
      run(tree, { base: "scratch", cmd: ["x"], check: false }),
      (error: unknown) =>
        error instanceof Error &&
        /several lock files: package-lock.json, uv.lock/.test(error.message) &&
        "hint" in error &&
        /--install=npm-lock or --install=uv-lock/.test(String(error.hint)),
    );
  });
});
