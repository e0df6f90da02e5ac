import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeLock } from "../../../src/base/lock-file.ts";
import { writeOutput } from "../../../src/blobs/output-file.ts";
import { hasCode } from "../../../src/errors.ts";
import { build } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { TYPESCRIPT } from "../../support/run.ts";
import { makeFifo, makeTree, temporaryDirectory } from "../../support/trees.ts";

const posix = { skip: process.platform === "win32" && "Windows has no such files" };

describe("a result that is written to a file", () => {
  it("replaces what the file held, and leaves nothing beside it", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "out.json");
    writeFileSync(path, "a longer text than the new one");
    await writeOutput(path, "new");
    assert.deepEqual([readFileSync(path, "utf8"), readdirSync(directory)], ["new", ["out.json"]]);
  });

  it("replaces a symbolic link, and not the file that the link leads to", posix, async () => {
    const directory = makeTree({ target: "untouched", "out.json": { link: "target" } });
    await writeOutput(join(directory, "out.json"), "new");
    assert.equal(readFileSync(join(directory, "target"), "utf8"), "untouched");
    assert.ok(lstatSync(join(directory, "out.json")).isFile());
  });

  it("a result that is written to a file is refused where a directory is, which stays", async () => {
    const path = join(temporaryDirectory(), "out");
    mkdirSync(path);
    await assert.rejects(writeOutput(path, "new"), {
      code: "WRITE_FAILED",
      message: `cannot write ${path}: it is a directory`,
    });
    assert.ok(statSync(path).isDirectory());
  });
});

describe("a result that is written to a special file", posix, () => {
  it("goes into a FIFO, which stays a FIFO, whole", async () => {
    const path = join(temporaryDirectory(), "fifo");
    makeFifo(path);
    const reader = spawn("cat", [path]);
    const read = text(reader.stdout);
    const long = "0123456789".repeat(100_000);
    // The FIFO may be opened for reading a moment later.
    for (let done = false; !done; ) done = await writeOutput(path, long).then(() => true, isUnread);
    assert.equal(await read, long);
    assert.ok(lstatSync(path).isFIFO());
  });

  it("a result that is written to a special file is refused at once if no process reads the FIFO", async () => {
    const path = join(temporaryDirectory(), "fifo");
    makeFifo(path);
    await assert.rejects(writeOutput(path, "new"), {
      code: "WRITE_FAILED",
      message: /it is a FIFO that no process reads/,
    });
    assert.ok(lstatSync(path).isFIFO());
  });

  // Through links of our own: were /dev/null itself replaced, this machine would suffer.
  it("goes into the device that a link leads to, and replaces neither", async () => {
    const path = join(temporaryDirectory(), "null");
    symlinkSync("/dev/null", path);
    await writeOutput(path, "new");
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.ok(statSync("/dev/null").isCharacterDevice());
  });

  const writeTo = (path: string) => `
    const { writeOutput } = await import(${JSON.stringify(fileURLToPath(new URL("../../../src/blobs/output-file.ts", import.meta.url)))});
    process.stdout.write("before\\n");
    await writeOutput(${JSON.stringify(path)}, "result\\n");
    process.stdout.write("after\\n");`;

  /** A link as /dev/stdout is one. */
  function linkToStdout(): string {
    const path = join(temporaryDirectory(), "stdout");
    symlinkSync("/dev/stdout", path);
    return path;
  }

  it("goes to stdout in its place, where stdout is a pipe", async () => {
    const path = linkToStdout();
    const child = spawn(process.execPath, [...TYPESCRIPT, "--input-type=module", "-e", writeTo(path)]);
    assert.equal(await text(child.stdout), "before\nresult\nafter\n");
    assert.ok(lstatSync(path).isSymbolicLink());
  });

  it("goes to stdout in its place, where stdout is a file", async () => {
    const path = linkToStdout();
    const file = join(temporaryDirectory(), "out");
    const descriptor = openSync(file, "w");
    const child = spawn(process.execPath, [...TYPESCRIPT, "--input-type=module", "-e", writeTo(path)], {
      stdio: ["ignore", descriptor, "inherit"],
    });
    await new Promise((resolve) => child.on("close", resolve));
    closeSync(descriptor);
    assert.equal(readFileSync(file, "utf8"), "before\nresult\nafter\n");
  });

  it("may be a whole archive, into a FIFO", async () => {
    const path = join(temporaryDirectory(), "image.tar");
    makeFifo(path);
    const reader = spawn("cat", [path]);
    const read = text(reader.stdout);
    const writer = await openForWriting(path);
    await build({
      ...{
        directory: makeTree({ "index.mjs": "0;\n" }),
        base: "scratch",
        cmd: ["index.handler"],
        check: false,
      },
      ...{ to: `docker-archive:${path}`, cache: false, environment: {} },
    });
    closeSync(writer);
    assert.match(await read, /manifest\.json/);
    assert.ok(lstatSync(path).isFIFO());
  });
});

/** Succeeds when the reader has opened it. */
async function openForWriting(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (!hasCode(error, "ENXIO")) throw error;
      await setImmediate();
    }
  }
}

function isUnread(error: Error): boolean {
  assert.match(error.message, /no process reads/);
  return false;
}

describe("a base lock that is written", posix, () => {
  const write = (path: string) => writeLock(path, "registry.test/base:1", "linux/amd64", digestOf("base"));

  it("a base lock that is written does not follow or replace a symbolic link", async () => {
    for (const content of ["", '{"lockfileVersion":1,"bases":{}}']) {
      const directory = makeTree({ outside: content, "source/lambda-pack.lock": { link: "../outside" } });
      const path = join(directory, "source/lambda-pack.lock");
      await assert.rejects(write(path), { code: content === "" ? "LOCK_REFUSED" : "WRITE_FAILED" });
      assert.equal(readFileSync(join(directory, "outside"), "utf8"), content);
      assert.ok(lstatSync(path).isSymbolicLink());
    }
  });

  it("a base lock that is written does not write through a link that leads to no file yet", async () => {
    const directory = makeTree({ "source/lambda-pack.lock": { link: "../outside" } });
    await assert.rejects(write(join(directory, "source/lambda-pack.lock")), {
      code: "WRITE_FAILED",
      message: /is a symbolic link, which is not replaced/,
    });
    assert.deepEqual(readdirSync(directory), ["source"]);
  });

  it("a base lock that is written does not write through a link that was planted under a temporary name", async () => {
    const directory = makeTree({
      outside: "untouched",
      [`source/lambda-pack.lock.${process.pid}.tmp`]: { link: "../outside" },
    });
    await write(join(directory, "source/lambda-pack.lock"));
    assert.equal(readFileSync(join(directory, "outside"), "utf8"), "untouched");
    assert.ok(lstatSync(join(directory, "source/lambda-pack.lock")).isFile());
  });
});
