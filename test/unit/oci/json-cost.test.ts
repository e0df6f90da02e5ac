import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readLock } from "../../../src/base/lock-file.ts";
import { DOCUMENT_LIMIT, parseJson } from "../../../src/oci/json.ts";
import { makeFifo, temporaryDirectory } from "../../support/trees.ts";

const src = fileURLToPath(new URL("../../../src/", import.meta.url));
const MIB = 1024 * 1024;

/** Ends a reader whose time grows with the square of its input, which would take minutes; a linear one takes below a second. */
const LIMIT_MS = 60_000;

/** The error's code of each of `calls`, made in a process of its own. */
function codesOf(file: string, imports: string, calls: readonly string[]): readonly string[] {
  const attempts = calls.map((call) => `attempt(() => ${call});`).join("\n");
  const script = `
    import { readFileSync } from "node:fs";
    ${imports}
    const file = ${JSON.stringify(file)};
    const bytes = readFileSync(file);
    function attempt(call) {
      try { call(); console.log("no error"); } catch (error) { console.log(error.code); }
    }
    ${attempts}`;
  const { stdout, signal, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    },
  );
  assert.equal(signal, null, `the reader was still busy after ${LIMIT_MS} ms`);
  assert.equal(stderr, "");
  return stdout.trim().split("\n");
}

/** A text of `bytes` bytes that repeats `unit` after `start`. */
const crafted = (start: string, unit: string, bytes: number) =>
  start + unit.repeat(Math.floor((bytes - start.length) / unit.length));

const CRAFTED: Readonly<Record<string, readonly [string, string]>> = {
  "an unterminated string of escaped quotes": ['{"a":"', '\\"'],
  "an unterminated string of backslashes": ['{"a":"', "\\\\"],
  "an unterminated string of escaped line breaks": ['{"a":"', "\\\n"],
  "quotes that an escape follows": ['{"a":', '"\\'],
  "brackets that close nothing": ["{", "}]"],
  "white space": ["{", " "],
};

describe("the cost of a crafted JSON document", () => {
  const directory = temporaryDirectory();
  for (const [what, [start, unit]] of Object.entries(CRAFTED)) {
    it(`reading a 4 MiB manifest or config, or a 1 MiB lock file, of ${what} ends with an error`, () => {
      const [file, lock] = [join(directory, "document"), join(directory, "lock")];
      writeFileSync(file, crafted(start, unit, DOCUMENT_LIMIT));
      writeFileSync(lock, crafted(start, unit, MIB));
      const codes = codesOf(
        file,
        `import { parseDocument, parseImageConfig } from ${JSON.stringify(`${src}oci/documents.ts`)};
         import { readLock } from ${JSON.stringify(`${src}base/lock-file.ts`)};`,
        ["parseDocument(bytes, undefined)", "parseImageConfig(bytes)", `readLock(${JSON.stringify(lock)})`],
      );
      assert.deepEqual(codes, ["IMAGE_INVALID", "IMAGE_INVALID", "LOCK_REFUSED"]);
    });
  }
});

describe("the size of a JSON document", () => {
  const directory = temporaryDirectory();
  const document = (bytes: number) => Buffer.from(`{"a":"${"x".repeat(bytes - 8)}"}`);

  it("of a manifest, index or config may be 4 MiB and no more", () => {
    assert.doesNotThrow(() => parseJson(document(DOCUMENT_LIMIT), "config"));
    assert.throws(() => parseJson(document(DOCUMENT_LIMIT + 1), "config"), {
      code: "IMAGE_INVALID",
      message: `config has ${DOCUMENT_LIMIT + 1} bytes, more than the ${DOCUMENT_LIMIT} it may have`,
    });
  });

  it("of a lock file may be 1 MiB and no more, and a FIFO in its place is refused without waiting", () => {
    const lock = join(directory, "lambda-pack.lock");
    writeFileSync(lock, document(MIB + 1));
    assert.throws(() => readLock(lock), { code: "LOCK_REFUSED", message: /has more than the 1048576 bytes/ });
    const fifo = join(directory, "fifo");
    makeFifo(fifo);
    const codes = codesOf(lock, `import { readLock } from ${JSON.stringify(`${src}base/lock-file.ts`)};`, [
      `readLock(${JSON.stringify(fifo)})`,
    ]);
    assert.deepEqual(codes, ["LOCK_REFUSED"]);
  });
});
