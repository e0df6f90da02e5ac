import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openCache } from "../../../src/cache/cache.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { Command } from "../../support/cli/command.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const SOMEBODY = 65_534;
const noModes = { skip: process.platform === "win32" && "Windows has no modes" };
const needsRoot = { skip: process.getuid?.() !== 0 && "only root can give a file to another user" };

const manifest = contentFrom("manifest");

/** A cache that knows one manifest; the paths of its directory and of the record. */
async function filled() {
  const directory = join(temporaryDirectory(), "cache");
  const cache = await openCache({ directory });
  await cache.rememberManifest("app:v1", manifest);
  await cache.close();
  const [name = ""] = readdirSync(join(directory, "references"));
  return { directory, record: join(directory, "references", name) };
}

/** What a process that opens the cache finds, and what it is warned of. */
async function look(directory: string) {
  const warnings: string[] = [];
  const onEvent = (event: BuildEvent) => void (event.type === "warning" && warnings.push(event.message));
  const cache = await openCache({ directory, onEvent });
  const found = await cache.findManifest("app:v1");
  const { removed } = await cache.verify();
  await cache.close();
  return { used: cache.directory, found: found?.descriptor.digest, removed, warnings };
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe("a record of the cache", noModes, () => {
  it("a record of the cache is used while only this user can change it", async () => {
    const { directory } = await filled();
    assert.equal((await look(directory)).found, manifest.descriptor.digest);
  });

  it("a record of the cache is not believed when other users may write to it", async () => {
    const { directory, record } = await filled();
    chmodSync(record, 0o666);
    assert.equal((await look(directory)).found, undefined);
  });

  it("a record of the cache is not believed when it belongs to another user", needsRoot, async () => {
    const { directory, record } = await filled();
    chownSync(record, SOMEBODY, SOMEBODY);
    assert.equal((await look(directory)).found, undefined);
  });

  it("a record of the cache is not believed when it is a symbolic link", async () => {
    const { directory, record } = await filled();
    const elsewhere = join(temporaryDirectory(), "record");
    renameSync(record, elsewhere);
    symlinkSync(elsewhere, record);
    assert.equal((await look(directory)).found, undefined);
  });

  it("that other users may write to is removed and named by cache verify", async () => {
    const { directory, record } = await filled();
    chmodSync(record, 0o622);
    const cache = await openCache({ directory });
    assert.deepEqual((await cache.verify()).removed, [record]);
    await cache.close();
  });
});

describe("the directory of the cache", noModes, () => {
  it("the directory of the cache is not used when it belongs to another user", needsRoot, async () => {
    const { directory } = await filled();
    chownSync(directory, SOMEBODY, SOMEBODY);
    const { used, found, warnings } = await look(directory);
    assert.deepEqual([used, found], [undefined, undefined]);
    assert.match(warnings.join(), /is not trusted: it belongs to the user 65534/);
  });

  it(
    "the directory of the cache is not used when a directory in it belongs to another user",
    needsRoot,
    async () => {
      const { directory } = await filled();
      chownSync(join(directory, "layers"), SOMEBODY, SOMEBODY);
      const { used, warnings } = await look(directory);
      assert.equal(used, undefined);
      assert.match(warnings.join(), /layers is not trusted: it belongs to the user 65534/);
    },
  );

  it("the directory of the cache is closed to other users when it was a cache that they may write to", async () => {
    const { directory } = await filled();
    for (const path of [directory, join(directory, "blobs"), join(directory, "layers")])
      chmodSync(path, 0o777);
    assert.equal((await look(directory)).used, directory);
    assert.deepEqual([directory, join(directory, "blobs"), join(directory, "layers")].map(modeOf), [
      "755",
      "700",
      "700",
    ]);
  });

  it("the directory of the cache is neither used nor changed when others may write to it and it holds other things", async () => {
    const directory = makeTree({ "thesis.txt": "mine" });
    chmodSync(directory, 0o777);
    const { used, warnings } = await look(directory);
    assert.equal(used, undefined);
    assert.match(warnings.join(), /other users may write to it/);
    assert.deepEqual([modeOf(directory), readdirSync(directory)], ["777", ["thesis.txt"]]);
  });

  it("the directory of the cache is neither used nor changed when it is a shared temporary directory", async () => {
    const directory = join(temporaryDirectory(), "tmp");
    mkdirSync(directory);
    chmodSync(directory, 0o1777);
    assert.equal((await look(directory)).used, undefined);
    assert.deepEqual([statSync(directory).mode & 0o7777, readdirSync(directory)], [0o1777, []]);
  });
});

/** Paths below a directory whose mode has one of these bits; a link's own mode means nothing. */
function pathsWith(directory: string, bits: number): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) =>
    join(directory, name),
  );
  return [directory, ...paths].filter((path) => {
    const found = lstatSync(path);
    return !found.isSymbolicLink() && (found.mode & bits) !== 0;
  });
}

describe("under umask 000", noModes, () => {
  const commands: Command[] = [];
  after(() => {
    for (const command of commands) command.remove();
  });

  /** A build by a process of its own into a layout, an archive, a metadata file and a lock. */
  async function built(umask: string) {
    const place = temporaryDirectory();
    const [cache, out] = [join(place, "cache"), join(place, "out")];
    const command = new Command({ LAMBDA_PACK_CACHE_DIR: cache });
    commands.push(command);
    const app = makeTree({
      "index.mjs": "export const handler = async () => 1;\n",
      "secret.txt": { file: "only mine", mode: 0o600 },
    });
    const build = (to: string) =>
      command.succeed(
        [
          ...["build", app, "--base", "scratch", "--cmd", "index.handler", "--no-check", "--quiet"],
          ...["--to", to, "--metadata-file", join(out, "metadata.json")],
        ],
        { umask },
      );
    mkdirSync(out);
    await build(`oci:${join(out, "new", "layout")}:v1`);
    await build(`oci:${join(out, "new", "again")}:v1`);
    await build(`docker-archive:${join(out, "made", "image.tar")}`);
    return { cache, out };
  }

  it("nothing that a build writes can be changed by another user", async () => {
    const { cache, out } = await built("000");
    assert.ok(readdirSync(out, { recursive: true }).length > 10);
    assert.deepEqual([...pathsWith(cache, 0o022), ...pathsWith(out, 0o022)], []);
  });

  it("what a user asked for can be read by others, and nothing of the cache can be reached by them", async () => {
    const { cache, out } = await built("000");
    const files = readdirSync(out, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      files.filter((name) => (statSync(join(out, name)).mode & 0o044) !== 0o044),
      [],
    );
    assert.equal(modeOf(cache), "700");
    const directories = readdirSync(cache).filter((name) => statSync(join(cache, name)).isDirectory());
    assert.ok(directories.includes("blobs"));
    assert.deepEqual(
      directories.filter((name) => modeOf(join(cache, name)) !== "700"),
      [],
    );
  });

  it("a layout is as private as umask 077 asks for, whatever came from the cache", async () => {
    const { out } = await built("077");
    assert.deepEqual(pathsWith(join(out, "new"), 0o077), []);
  });
});

it("a cache writes its own files for this user only, under umask 000", noModes, async () => {
  const before = process.umask(0);
  try {
    const { directory } = await filled();
    const cache = await openCache({ directory });
    await cache.spool.write("application/octet-stream", contentFrom("spooled").read());
    assert.deepEqual(pathsWith(directory, 0o077), []);
    await cache.close();
    writeFileSync(join(directory, "..", "control"), "");
    assert.equal(modeOf(join(directory, "..", "control")), "666");
  } finally {
    process.umask(before);
  }
});
