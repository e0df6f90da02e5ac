import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { collect } from "../../../../src/layer/collect.ts";
import { tar } from "../../../../src/layer/encode/tar.ts";
import { split } from "../../../../src/layer/split.ts";
import { bytesOf, makeFifo, makeTree } from "../../../support/trees.ts";

const mtime = new Date(0);
const MIB = 1024 * 1024;

/** Packs the directory, in which `first` comes before `victim`; the change happens after collecting, or once `first` is packed. */
async function packWhile(change: (victim: string, directory: string) => void, when: "before" | "during") {
  const directory = makeTree({ first: "first", victim: "four", "z/inner": "four" });
  const [group] = split(await collect({ directory, target: "/" }));
  if (when === "before") change(join(directory, "victim"), directory);
  let changed = when === "before";
  const onBytes = () => {
    if (!changed) change(join(directory, "victim"), directory);
    changed = true;
  };
  return bytesOf(tar(group?.entries ?? [], { mtime, onBytes }));
}

const CHANGES: Readonly<Record<string, readonly [(victim: string, directory: string) => void, RegExp]>> = {
  grows: [(victim) => appendFileSync(victim, "more"), /victim changed .* grew/],
  shrinks: [(victim) => truncateSync(victim, 2), /victim changed .* shrank/],
  vanishes: [(victim) => rmSync(victim), /victim changed .* gone/],
  "becomes a link": [
    (victim, directory) => {
      rmSync(victim);
      symlinkSync(join(directory, "z/inner"), victim);
    },
    /victim changed .* no longer a file/,
  ],
  "becomes a directory": [
    (victim) => {
      rmSync(victim);
      mkdirSync(victim);
    },
    /victim changed .* no longer a file/,
  ],
  "becomes a FIFO": [
    (victim) => {
      rmSync(victim);
      makeFifo(victim);
    },
    /victim changed .* no longer a file/,
  ],
  "is written anew with its size": [
    (victim) => {
      writeFileSync(victim, "4444");
      utimesSync(victim, 1000, 1000); // a clock tick later, however fast the test
    },
    /victim changed .* written to/,
  ],
  "is replaced by another of its size": [
    (victim) => {
      writeFileSync(`${victim}-new`, "4444");
      renameSync(`${victim}-new`, victim);
    },
    /victim changed .* replaced/,
  ],
  "has its directory replaced by a link": [
    (_, directory) => {
      const other = makeTree({ inner: "4444" });
      rmSync(join(directory, "z"), { recursive: true });
      symlinkSync(other, join(directory, "z"));
    },
    /inner changed .* replaced/,
  ],
};

describe("a file that changes between collecting and packing", () => {
  for (const [what, [change, message]] of Object.entries(CHANGES)) {
    for (const when of ["before", "during"] as const) {
      it(`a file that changes between collecting and packing is an error when it ${what} ${when} packing`, () =>
        assert.rejects(packWhile(change, when), { code: "FILE_CHANGED", message }));
    }
  }
});

describe("a large file that changes while it is read", () => {
  const size = 4 * MIB;

  async function readWhile(change: (source: string) => void): Promise<void> {
    const directory = makeTree({ large: new Uint8Array(size) });
    const source = join(directory, "large");
    utimesSync(source, 1000, 1000);
    const { files } = await collect({ directory, target: "/" });
    let changed = false;
    const onBytes = () => {
      if (!changed) change(source);
      changed = true;
    };
    await bytesOf(
      tar(
        [...files].map(({ entry }) => entry),
        { mtime, onBytes },
      ),
    );
  }

  it("a large file that changes while it is read is an error when it grows", () =>
    assert.rejects(
      readWhile((source) => appendFileSync(source, "x")),
      { code: "FILE_CHANGED", message: /grew/ },
    ));

  it("a large file that changes while it is read is an error when it shrinks", () =>
    assert.rejects(
      readWhile((source) => truncateSync(source, 2 * MIB)),
      {
        code: "FILE_CHANGED",
        message: /shrank/,
      },
    ));

  it("a large file that changes while it is read is an error when its content changes and its size does not", () =>
    assert.rejects(
      readWhile((source) => writeFileSync(source, new Uint8Array(size).fill(1))),
      {
        code: "FILE_CHANGED",
        message: /written to/,
      },
    ));
});

describe("a file that may not be read", () => {
  it("a file that may not be read is an error that names it", async () => {
    const directory = makeTree({ secret: { file: "x", mode: 0 } });
    chmodSync(directory, 0o755);
    const { files } = await collect({ directory, target: "/" });
    const packing = () =>
      bytesOf(
        tar(
          [...files].map(({ entry }) => entry),
          { mtime },
        ),
      );
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      await assert.rejects(packing(), { code: "FILE_UNREADABLE", message: /secret: EACCES/ });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});

it("packing opens a file with the contents of several entries once, and reads each part", async () => {
  const source = join(makeTree({ all: "onetwothree" }), "all");
  const part = (path: string, offset: number, size: number) =>
    ({ kind: "file", path, mode: 0o644, size, source, offset }) as const;
  // Opening the file again after the first part would fail.
  const onBytes = () => rmSync(source, { force: true });
  const bytes = await bytesOf(tar([part("a", 0, 3), part("b", 6, 5), part("c", 3, 3)], { mtime, onBytes }));
  const contents = [0, 2, 4].map((record) =>
    bytes.toString("latin1", (record + 1) * 512, (record + 1) * 512 + 5),
  );
  assert.deepEqual(contents, ["one\0\0", "three", "two\0\0"]);
});
