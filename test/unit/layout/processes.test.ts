import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { withLock } from "../../../src/blobs/lock.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import { dockerArchiveSink } from "../../../src/layout/docker-archive.ts";
import { send, smallImage } from "../../support/images/small-image.ts";
import { runTypeScript } from "../../support/processes/bundled.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";
import { DEAD_PID, leftBy, leftIn } from "../../support/unfinished-files.ts";

const temporary = temporaryDirectory();

describe("several processes at one layout", () => {
  it("all publish, into a directory that none of them had found", async () => {
    const directory = join(temporary, "shared", "layout");
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => runTypeScript("publish-often.ts", [directory, name, "5"])));
    for (const name of names) {
      for (let round = 0; round < 5; round++) await openLayout(directory).pull(`${name}-${round}`, undefined);
    }
    assert.deepEqual(
      pathsIn(directory).filter((path) => /lock|partial/.test(path)),
      [],
    );
  });

  it("take turns within one process too", async () => {
    const directory = join(temporary, "one-process");
    const tags = Array.from({ length: 20 }, (_, index) => `v${index}`);
    await Promise.all(
      tags.map(async (tag) => send(await smallImage({ text: tag }), openLayout(directory), [tag])),
    );
    for (const tag of tags) await openLayout(directory).pull(tag, undefined);
  });
});

describe("what a killed process left", () => {
  it("what a killed process left is removed from a layout, and what a living one is writing stays", async () => {
    const directory = join(temporary, "leftovers");
    await send(await smallImage(), openLayout(directory), ["v1"]);
    const dead = join(directory, leftBy(DEAD_PID, ".blob"));
    const living = join(directory, leftBy(process.ppid, ".blob"));
    for (const path of [dead, living]) writeFileSync(path, "half");
    await send(await smallImage({ text: "two" }), openLayout(directory), ["v2"]);
    assert.deepEqual([existsSync(dead), existsSync(living)], [false, true]);
  });

  it("what a killed process left is removed from a layout also when it has the image already, and nothing is put", async () => {
    const directory = join(temporary, "complete");
    const image = await smallImage();
    await send(image, openLayout(directory), ["v1"]);
    const dead = join(directory, leftBy(DEAD_PID, ".file"));
    writeFileSync(dead, "half");
    assert.equal(await openLayout(directory).isPublished(image.manifest.descriptor, ["v1"]), true);
    assert.equal(existsSync(dead), false);
  });

  it("what a killed process left is removed from a directory that was still to become a layout", async () => {
    const directory = join(temporary, "unmarked");
    mkdirSync(directory);
    const dead = join(directory, leftBy(DEAD_PID, ".file"));
    writeFileSync(dead, "half");
    await send(await smallImage(), openLayout(directory), ["v1"]);
    assert.equal(existsSync(dead), false);
  });

  it("what a killed process left is removed from beside an archive", async () => {
    const path = join(temporary, "image.tar");
    const dead = join(temporary, leftBy(DEAD_PID, "image.tar"));
    const other = join(temporary, leftBy(DEAD_PID, "other.tar"));
    for (const left of [dead, other]) mkdirSync(join(left, "blobs"), { recursive: true });
    const sink = dockerArchiveSink(path);
    await send(await smallImage(), sink, ["v1"]);
    await sink.close();
    assert.deepEqual([existsSync(dead), existsSync(other)], [false, true]);
  });
});

describe("a clock that is two days ahead", () => {
  const DAYS_MS = 48 * 3600 * 1000;

  it("a clock that is two days ahead does not remove from a layout or beside an archive what another machine is writing", async (t) => {
    const directory = join(temporary, "wrong-clock");
    await send(await smallImage(), openLayout(directory), ["v1"]);
    const blob = join(directory, leftIn("00000000", DEAD_PID, ".blob"));
    const archive = join(temporary, leftIn("00000000", DEAD_PID, "wrong-clock.tar"));
    for (const path of [blob, archive]) writeFileSync(path, "half");
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + DAYS_MS });
    await send(await smallImage({ text: "two" }), openLayout(directory), ["v2"]);
    const sink = dockerArchiveSink(join(temporary, "wrong-clock.tar"));
    await send(await smallImage(), sink, ["v1"]);
    await sink.close();
    assert.deepEqual([existsSync(blob), existsSync(archive)], [true, true]);
  });

  it("a clock that is two days ahead does not take over the lock of another machine", async (t) => {
    const path = join(temporary, "wrong-clock.lock");
    writeFileSync(path, leftIn("00000000", DEAD_PID, "lock"));
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + DAYS_MS });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("stopped")), 100);
    await assert.rejects(
      withLock(path, async () => "done", stop.signal),
      /stopped/,
    );
    assert.equal(existsSync(path), true);
  });
});

describe("the lock of a layout", () => {
  it("the lock of a layout is taken over from a process that is gone", async () => {
    const path = join(temporary, "dead.lock");
    writeFileSync(path, leftBy(DEAD_PID, "lock"));
    assert.equal(await withLock(path, async () => "done"), "done");
    assert.equal(existsSync(path), false);
  });

  it("the lock of a layout is waited for while its process lives", async () => {
    const path = join(temporary, "living.lock");
    writeFileSync(path, leftBy(process.ppid, "lock"));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("stopped")), 100);
    await assert.rejects(
      withLock(path, async () => "done", stop.signal),
      /stopped/,
    );
    assert.equal(readFileSync(path, "utf8"), leftBy(process.ppid, "lock"));
  });

  it("the lock of a layout is free again after a failure", async () => {
    const path = join(temporary, "failed.lock");
    const failing = withLock(path, async () => {
      throw new Error("failed under the lock");
    });
    await assert.rejects(failing, /failed under the lock/);
    assert.equal(existsSync(path), false);
  });
});
