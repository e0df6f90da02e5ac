import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { LambdaPackError } from "../../../src/errors.ts";
import { digestBeside } from "../../../src/layer/encode/digest-beside.ts";
import { BLOCK, HASHED_BESIDE, PORTION } from "../../../src/layer/encode/limits.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { diffIdOf } from "../../../src/layer/fingerprint.ts";
import { createDigester, type Digest } from "../../../src/oci/digest.ts";
import type { Entry } from "../../../src/tar/entry.ts";
import { bytesOf as randomBytes } from "../../support/random-content.ts";
import { makeTree } from "../../support/trees.ts";

const mtime = new Date(1000);
const RECORD = 512;

/** A file of each size; those of one size are the same on disk. */
function filesOf(sizes: readonly number[], nameOf = (n: number) => `${n}`): readonly Entry[] {
  const contents = [...new Set(sizes)].map((size) => [`of-${size}`, randomBytes(`${size}`, size)] as const);
  const folder = makeTree(Object.fromEntries(contents));
  return sizes.map((size, n) => {
    const source = join(folder, `of-${size}`);
    return { kind: "file", path: nameOf(n), mode: 0o644, size, source };
  });
}

function times<T>(count: number, item: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => item(n));
}

function digestHere(entries: readonly Entry[]): Digest {
  const digester = createDigester();
  for (const block of tar(entries, { mtime })) digester.update(block);
  return digester.digest();
}

const trees: Readonly<Record<string, () => readonly Entry[]>> = {
  "small files": () => filesOf(times(9000, (n) => 500 + (n % 3) * 300)),
  "a file of several portions": () => filesOf([3 * PORTION + 1]),
  "files that fill portions to the last byte": () =>
    filesOf([PORTION - RECORD, PORTION - RECORD, 0, PORTION - 2 * RECORD, 0, 1]),
  "files a byte more and less than that": () =>
    filesOf([PORTION - RECORD - 1, PORTION - RECORD + 1, PORTION - RECORD, 1]),
  "empty files": () => filesOf(times(20_000, () => 0)),
  "links and folders": () =>
    times(20_000, (n) =>
      n % 2
        ? { kind: "symlink", path: `${n}`, target: "x".repeat(n % 300) }
        : { kind: "directory", path: `${n}`, mode: 0o755 },
    ),
  "names that take three times the room": () =>
    filesOf(
      times(30_000, () => 0),
      (n) => `${n}-${"ü".repeat(90)}`,
    ),
};

describe("a tar that a thread reads", { skip: availableParallelism() === 1 && "one processor" }, () => {
  for (const [what, make] of Object.entries(trees)) {
    it(`has the digest that it has here: ${what}`, async () => {
      const entries = make();
      assert.equal(await digestBeside(entries, { mtime }), digestHere(entries));
    });
  }

  it("is none where it is not more than a block", async () => {
    assert.equal(await digestBeside(filesOf([BLOCK - RECORD]), { mtime }), undefined);
    assert.equal(await digestBeside([], { mtime }), undefined);
  });

  it("is none while every thread reads another, which is read here then", async () => {
    const all = times(HASHED_BESIDE + 1, (n) => filesOf([2 * PORTION + n]));
    const first = all.map((entries) => digestBeside(entries, { mtime }));
    assert.equal((await Promise.all(first)).filter((digest) => digest === undefined).length, 1);
    const digests = await Promise.all(all.map((entries) => diffIdOf(entries, { mtime })));
    assert.deepEqual(digests, all.map(digestHere));
  });

  const faults: Readonly<Record<string, (path: string) => void>> = {
    grew: (path) => appendFileSync(path, "1"),
    shrank: (path) => truncateSync(path, 3),
    "is gone": (path) => rmSync(path),
    "is a link now": (path) => {
      rmSync(path);
      symlinkSync("elsewhere", path);
    },
    "is a folder now": (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  };
  for (const [what, change] of Object.entries(faults)) {
    it(`fails as it does here when a file ${what}, and leaves the thread to the next`, async () => {
      const entries = filesOf([2 * PORTION, 10, 2 * PORTION]);
      const [, changed] = entries;
      change(changed?.kind === "file" ? changed.source : assert.fail());
      const expected = errorOf(() => digestHere(entries));
      await assert.rejects(digestBeside(entries, { mtime }), (error: unknown) => {
        assert.ok(error instanceof LambdaPackError);
        assert.deepEqual({ ...error, message: error.message }, { ...expected, message: expected.message });
        return true;
      });
      const others = filesOf([PORTION, 1]);
      assert.equal(await digestBeside(others, { mtime }), digestHere(others));
    });
  }

  it("ends when it is aborted, closes what it read, and leaves the thread to the next", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const files = filesOf([16 * PORTION]);
    const digest = digestBeside(files, { mtime, signal: stop.signal });
    setImmediate(() => stop.abort(reason));
    await assert.rejects(digest, reason);
    const others = filesOf([PORTION, 1]);
    assert.equal(await digestBeside(others, { mtime }), digestHere(others));
    assert.deepEqual(
      openFiles().filter((path) => files.some((file) => "source" in file && file.source === path)),
      [],
    );
  });
});

/** What this process has open; nothing where the system does not tell. */
function openFiles(): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      return [readlinkSync(join("/proc/self/fd", name))];
    } catch {
      return []; // that by which the folder was read
    }
  });
}

function errorOf(fail: () => unknown): LambdaPackError {
  try {
    fail();
  } catch (error) {
    if (error instanceof LambdaPackError) return error;
  }
  return assert.fail("it should have failed");
}
