import assert from "node:assert/strict";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build, check } from "../../../src/index.ts";
import { directories, file, withFiles, writeImage } from "../../support/images/check-image.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const SOURCE = "def handler(event, context):\n    return event\n";
const SECONDS = 1_700_000_000;

function bytecode(seconds: number, flags = 0): Buffer {
  const header = Buffer.alloc(17);
  header.writeUInt32LE(flags, 4);
  header.writeUInt32LE(seconds, 8);
  header.writeUInt32LE(SOURCE.length, 12);
  return header;
}

const COMMON = { cache: false, environment: { HOME: "/nonexistent" } };

async function staleIn(source: string, more: object = {}): Promise<readonly string[]> {
  const { findings } = await check({ ...COMMON, source, ...more });
  return findings.filter(({ rule }) => rule === "timed-bytecode").map(({ message }) => message);
}

describe("advice on stale bytecode of an image that another tool made", () => {
  const imageWith = (seconds: number, sourceTime: number, flags = 0) =>
    writeImage(
      withFiles(
        ...directories("var/task/pk", "var/task/pk/__pycache__"),
        {
          ...file("var/task/pk/__pycache__/a.cpython-312.pyc", bytecode(seconds, flags)),
          mtime: new Date(9e11),
        },
        { ...file("var/task/pk/a.py", SOURCE), mtime: new Date(sourceTime * 1000) },
      ),
    );

  for (const [what, image, expected] of [
    ["is given where the source has another time", imageWith(SECONDS, SECONDS + 1), 1],
    ["is not given where only the bytecode's own time differs", imageWith(SECONDS, SECONDS), 0],
    ["is not given where the bytecode holds no time", imageWith(SECONDS, SECONDS + 1, 1), 0],
  ] as const)
    it(what, async () => assert.equal((await staleIn(await image)).length, expected));
});

describe("advice on stale bytecode of a directory", () => {
  for (const [what, held, expected] of [
    ["is not given where it is valid, and the image agrees", SECONDS, 0],
    ["is given where its source was changed, and the image agrees", SECONDS - 60, 1],
  ] as const)
    it(what, async () => {
      const directory = makeTree({ "app.py": SOURCE, "__pycache__/app.cpython-312.pyc": bytecode(held) });
      utimesSync(join(directory, "app.py"), SECONDS, SECONDS);
      const options = { base: "scratch", entrypoint: ["/var/task/app.py"] };
      const to = `oci:${temporaryDirectory()}/out`;
      await build({ ...COMMON, ...options, directory, to, check: false });
      assert.equal((await staleIn(directory, options)).length, expected);
      assert.equal((await staleIn(to)).length, expected);
    });
});
