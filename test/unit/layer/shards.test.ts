import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SourceFile } from "../../../src/layer/collect.ts";
import { packageOf } from "../../../src/layer/packages.ts";
import { shardsOf } from "../../../src/layer/shards.ts";
import { random } from "../../support/trees.ts";

const MiB = 1024 * 1024;

function fileOf(path: string, size: number): SourceFile {
  return { path, entry: { kind: "file", path, mode: 0o644, size, source: `/${path}` } };
}

/** A package of three files. */
function packageFiles(name: string, size: number): readonly SourceFile[] {
  return ["index.js", "lib/a.js", "package.json"].map((file) =>
    fileOf(`node_modules/${name}/${file}`, Math.ceil(size / 3)),
  );
}

/** Most are small and some are large, as they are. */
function manyPackages(count: number, seed = 1): ReadonlyMap<string, readonly SourceFile[]> {
  const next = random(seed);
  const sizes = [0.01, 0.05, 0.2, 0.2, 0.5, 2, 6];
  return new Map(
    Array.from({ length: count }, () => {
      const name = `p${next(1e9).toString(36)}`;
      return [name, packageFiles(name, (sizes[next(sizes.length)] ?? 1) * MiB)] as const;
    }),
  );
}

function filesOf(packages: ReadonlyMap<string, readonly SourceFile[]>): readonly SourceFile[] {
  return [...packages.values()].flat();
}

/** Each shard by what is in it. */
function keysOf(files: readonly SourceFile[]): readonly string[] {
  return shardsOf(files).map((shard) =>
    shard
      .map(({ path, entry }) => `${path} ${entry.kind === "file" ? entry.size : 0}`)
      .sort()
      .join("\n"),
  );
}

/** Shards that have to be sent where `before` was. */
function moved(before: readonly SourceFile[], after: readonly SourceFile[]): number {
  const there = new Set(keysOf(before));
  return keysOf(after).filter((key) => !there.has(key)).length;
}

function bytesOf(files: readonly SourceFile[]): number {
  return files.reduce((sum, { entry }) => sum + (entry.kind === "file" ? entry.size : 0), 0);
}

describe("dependencies as layers", () => {
  it("dependencies as layers are one while they are small", () => {
    assert.equal(shardsOf(packageFiles("a", 20 * MiB)).length, 1);
  });

  it("hold every file once, whatever the order in which they come", () => {
    const files = filesOf(manyPackages(200));
    const paths = shardsOf(files)
      .flat()
      .map(({ path }) => path);
    assert.deepEqual([...paths].sort(), files.map(({ path }) => path).sort());
    assert.deepEqual(new Set(keysOf([...files].reverse())), new Set(keysOf(files)));
  });

  it("keep the files of a package together", () => {
    const shards = shardsOf(filesOf(manyPackages(300)));
    const homes = shards.flatMap((shard) => [...new Set(shard.map(({ path }) => packageOf(path)))]);
    assert.equal(new Set(homes).size, homes.length);
  });

  it("dependencies as layers are several if they are large, of some 16 MiB, at most 48 of them", () => {
    const files = filesOf(manyPackages(300));
    const shards = shardsOf(files);
    const expected = bytesOf(files) / (16 * MiB);
    assert.ok(shards.length > expected / 2 && shards.length < expected * 2, `${shards.length}, ${expected}`);
    for (const count of [1000, 3000, 9000]) {
      const { length } = shardsOf(filesOf(manyPackages(count)));
      assert.ok(length <= 48 && length >= 12, `${length} for ${count} packages`);
    }
  });

  it("move one layer, at most two, when any one package comes, goes or grows", () => {
    const packages = manyPackages(150);
    const all = filesOf(packages);
    for (const name of packages.keys()) {
      const without = filesOf(new Map([...packages].filter(([other]) => other !== name)));
      assert.ok(moved(all, without) <= 2, `${name} goes`);
      assert.ok(moved(without, all) <= 2, `${name} comes`);
      const size = bytesOf(packages.get(name) ?? []) * 1.02;
      const grown = filesOf(new Map([...packages, [name, packageFiles(name, size)]]));
      assert.ok(moved(all, grown) <= 2, `${name} grows`);
    }
  });

  it("give a package as large as a layer one of its own, and a giant several", () => {
    const others = filesOf(manyPackages(60));
    const large = packageFiles("q-large", 24 * MiB);
    const giant = Array.from({ length: 400 }, (_, index) => fileOf(`node_modules/q-giant/${index}.js`, MiB));
    const shards = shardsOf([...others, ...large, ...giant]);
    const with_ = (name: string) =>
      shards.filter((shard) => shard.some(({ path }) => packageOf(path) === name));
    assert.deepEqual(
      with_("q-large").map((shard) => shard.length),
      [3],
    );
    assert.ok(with_("q-giant").length > 5);
    assert.ok(with_("q-giant").every((shard) => shard.every(({ path }) => packageOf(path) === "q-giant")));
    assert.ok(moved([...others, ...large], [...others, ...large, ...giant]) <= with_("q-giant").length + 1);
  });
});

describe("the package of a path", () => {
  const cases: Readonly<Record<string, string>> = {
    "node_modules/lodash/get.js": "lodash",
    "node_modules/@aws-sdk/client-s3/dist/index.js": "@aws-sdk/client-s3",
    "node_modules/a/node_modules/b/index.js": "a",
    "web/node_modules/lodash/get.js": "lodash",
    "numpy/core/x.py": "numpy",
    "numpy.libs/libopenblas.so": "numpy",
    "numpy-1.26.4.dist-info/RECORD": "numpy",
    "charset_normalizer-3.3.2.dist-info/RECORD": "charset-normalizer",
    "charset_normalizer/md.py": "charset-normalizer",
    "six.py": "six",
    "venv/lib/python3.12/site-packages/requests/api.py": "requests",
    "vendor/bundle/ruby/3.3.0/gems/rack-3.0.8/lib/rack.rb": "rack",
    "vendor/bundle/ruby/3.3.0/specifications/rack-3.0.8.gemspec": "rack",
    "lib/jackson-core-2.17.1.jar": "jackson-core",
    "bin/flask": "bin",
  };
  for (const [path, name] of Object.entries(cases))
    it(`${path} is ${name}`, () => assert.equal(packageOf(path), name));
});
