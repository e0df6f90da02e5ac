import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, type BuildResult, build } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { aMinuteLater } from "../../support/time.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

/** Breaks one rule with a warning: the link leads nowhere. */
const APP: Tree = {
  bootstrap: { file: "#!/bin/sh\n", mode: 0o755 },
  "node_modules/a/index.js": "exports.a = 1\n",
  dangling: { link: "nowhere" },
};

interface Run extends BuildResult {
  readonly warnings: readonly string[];
}

async function run(
  directory: string,
  cacheDirectory: string,
  more: Partial<BuildOptions> = {},
): Promise<Run> {
  const events: BuildEvent[] = [];
  const result = await aMinuteLater(() =>
    build({
      directory,
      base: "scratch",
      entrypoint: ["/var/task/bootstrap"],
      allow: ["entrypoint", "runtime-client"],
      to: `oci:${join(temporaryDirectory(), "out")}`,
      cacheDir: cacheDirectory,
      environment: {},
      onEvent: (event) => events.push(event),
      ...more,
    }),
  );
  const warnings = events.flatMap((event) => (event.type === "warning" ? event.message : []));
  return { ...result, warnings };
}

const recordsIn = (cache: string) =>
  readdirSync(join(cache, "findings")).map((name) => join(cache, "findings", name));

/** Changes what the cache remembers, so that a build that reuses it is seen to do so. */
function mark(cache: string): void {
  for (const path of recordsIn(cache)) {
    const [, line = ""] = readFileSync(path, "utf8").split("\n");
    const marked = line.replaceAll("dangling", "marked");
    writeFileSync(path, `${digestOf(marked)}\n${marked}\n`);
  }
}

const isMarked = ({ warnings }: Run) => warnings.some((text) => text.includes("marked"));

/** Makes this run from sources one of a built program with that code. */
function setCode(code: string | undefined): void {
  if (code === undefined) Reflect.deleteProperty(globalThis, "LAMBDA_PACK_CODE");
  else Reflect.set(globalThis, "LAMBDA_PACK_CODE", code);
}

/** Two builds of one directory with one cache. */
async function twice(between: (cache: string, directory: string) => void, more: Partial<BuildOptions> = {}) {
  const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
  const first = await run(directory, cache);
  between(cache, directory);
  return { first, second: await run(directory, cache, more), directory, cache };
}

describe("findings of an earlier build", () => {
  beforeEach(() => setCode("a"));
  after(() => setCode(undefined));

  it("a build by a program with other code of the same version checks the image again", async () => {
    const { second } = await twice((cache) => {
      mark(cache);
      setCode("b");
    });
    assert.equal(isMarked(second), false);
    assert.match(second.warnings.join(), /dangling/);
  });

  it("a build from sources remembers no findings, because its rules may change", async () => {
    setCode(undefined);
    const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
    await run(directory, cache);
    assert.deepEqual(recordsIn(cache), []);
  });

  it("a build of an unchanged image reports the remembered findings and runs no rule", async () => {
    const { second } = await twice(mark);
    assert.equal(isMarked(second), true, second.warnings.join());
  });

  it("a build of an unchanged image gives the digest and the warnings of the first build", async () => {
    const { first, second } = await twice(() => undefined);
    assert.deepEqual([second.digest, second.warnings], [first.digest, first.warnings]);
    assert.equal(first.warnings.length > 0, true);
    assert.deepEqual(
      second.layers.map(({ how }) => how),
      ["cached", "cached"],
    );
  });

  const CHANGES: Readonly<Record<string, Partial<BuildOptions>>> = {
    architecture: { arch: "arm64" },
    cmd: { cmd: ["x"] },
    deep: { deep: true },
    entrypoint: { entrypoint: ["/var/task/bootstrap", "x"] },
    env: { env: { A: "1" } },
    environment: { environment: { SOURCE_DATE_EPOCH: "77" } },
    exclude: { exclude: ["node_modules"] },
    format: { format: "docker" },
    handler: { handler: "other.handler", target: "/var/task" },
    labels: { label: { a: "b" } },
    layers: { layer: [{ name: "mine", glob: "bootstrap" }] },
    level: { level: 9 },
    snapstart: { snapstart: true },
    allowSecrets: { allowSecret: ["bootstrap"] },
    target: { target: "/opt" },
    workdir: { workdir: "/var" },
  };
  for (const [option, more] of Object.entries(CHANGES)) {
    it(`a build with another ${option} does not reuse findings and equals a build without a cache`, async () => {
      const { second, directory } = await twice(mark, more);
      const fresh = await run(directory, join(temporaryDirectory(), "cache"), more);
      assert.equal(isMarked(second), false);
      assert.deepEqual([second.digest, second.warnings], [fresh.digest, fresh.warnings]);
    });
  }

  it("a build with another --allow reuses findings and leaves out those of the rules that it names", async () => {
    const { second } = await twice(mark, { allow: ["entrypoint", "runtime-client", "handler"] });
    assert.equal(isMarked(second), true);
    assert.ok(second.warnings.includes("--allow handler has no effect: the image does not break that rule"));
  });

  it("a build with an option that does not change the image reuses findings", async () => {
    const { second, cache } = await twice(mark, { tag: ["v2"], jobs: 2, offline: true });
    assert.equal(isMarked(second), true);
    assert.equal(recordsIn(cache).length, 1);
  });

  it("a build after a file was changed checks the image again", async () => {
    const { second } = await twice((cache, directory) => {
      mark(cache);
      writeFileSync(join(directory, "bootstrap"), "#!/bin/bash\n");
    });
    assert.equal(isMarked(second), false);
  });

  it("a dry run remembers findings and a later build that sends the image reuses them", async () => {
    const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
    await run(directory, cache, { dryRun: true });
    mark(cache);
    assert.equal(isMarked(await run(directory, cache)), true);
  });

  it("an error that was found stops the next build of the same image, too", async () => {
    const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
    const broken = { allow: ["runtime-client"], base: "scratch", entrypoint: ["/nowhere"] };
    for (let count = 0; count < 2; count++)
      await assert.rejects(run(directory, cache, broken), { code: "CHECK_FAILED", message: /nowhere/ });
    assert.equal(recordsIn(cache).length, 1);
    await run(directory, cache, { ...broken, check: false });
  });

  it("a build with check: false remembers no findings", async () => {
    const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
    await run(directory, cache, { check: false });
    assert.deepEqual(recordsIn(cache), []);
  });

  it("a build without a cache remembers no findings", async () => {
    const [directory, cache] = [makeTree(APP), join(temporaryDirectory(), "cache")];
    await run(directory, cache, { cache: false });
    assert.throws(() => recordsIn(cache), { code: "ENOENT" });
  });

  it("a damaged record of findings is replaced by checking again", async () => {
    const { first, second, cache } = await twice((directory) => {
      for (const path of recordsIn(directory)) writeFileSync(path, "{}");
    });
    assert.deepEqual(second.warnings, first.warnings);
    assert.match(readFileSync(recordsIn(cache)[0] ?? "", "utf8"), /dangling/);
  });
});

describe("a handler that changed", () => {
  it("a build with another --handler has that handler as CMD, though all layers are cached", async () => {
    const [directory, cache] = [
      makeTree({ ...APP, "a.js": "", "b.js": "" }),
      join(temporaryDirectory(), "cache"),
    ];
    const out = join(temporaryDirectory(), "out");
    const commandOf = async (handler: string) => {
      const { digest } = await run(directory, cache, { handler, target: "/var/task", to: `oci:${out}` });
      const read = (name: string) =>
        JSON.parse(readFileSync(join(out, "blobs", name.replace(":", "/")), "utf8"));
      return read(read(digest).config.digest).config.Cmd;
    };
    assert.deepEqual(await commandOf("a.handler"), ["a.handler"]);
    assert.deepEqual(await commandOf("b.handler"), ["b.handler"]);
  });
});
