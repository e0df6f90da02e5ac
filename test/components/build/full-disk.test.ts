import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { openCache } from "../../../src/cache/cache.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import { ociArchiveSink } from "../../../src/layout/oci-archive.ts";
import type { Content } from "../../../src/oci/content.ts";
import { describeReal } from "../../support/components/components.ts";
import { failsWith } from "../../support/errors.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { smallImage } from "../../support/images/small-image.ts";
import { run } from "../../support/run.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const disk = join(temporaryDirectory(), "disk");
const MiB = 1024 * 1024;

/** Larger than the disk. */
const large: Content = contentFrom("large", 3 * MiB);

describeReal("a disk of 2 MiB", ["root"], () => {
  before(async () => {
    mkdirSync(disk);
    await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
  });
  after(() => run("umount", [disk]));

  it("stops a cache with an error that names the path, and the cache is whole", async () => {
    const directory = join(disk, "cache");
    const cache = await openCache({ directory });
    await cache.keep(contentFrom("small", MiB / 2));
    await assert.rejects(cache.keep(large), failsWith("WRITE_FAILED", new RegExp(`${directory}.*ENOSPC`)));
    const spooling = cache.spool.write("text/plain", large.read());
    await assert.rejects(spooling, failsWith("WRITE_FAILED", new RegExp(`${directory}.*ENOSPC`)));
    await cache.keep(contentFrom("another", MiB / 2));
    const { blobs, removed } = await cache.verify();
    await cache.close();
    assert.deepEqual([blobs, removed], [2, []]);
    assert.deepEqual(
      pathsIn(directory).filter((path) => path.endsWith(".partial")),
      [],
    );
    rmSync(directory, { recursive: true });
  });

  it("stops a layout and leaves none", async () => {
    const sink = openLayout(join(disk, "layout"));
    await assert.rejects(sink.put(large), failsWith("WRITE_FAILED", /layout.*ENOSPC/));
    await sink.close();
    assert.equal(pathsIn(disk).includes("layout"), false);
  });

  it("stops an archive and leaves none", async () => {
    const sink = ociArchiveSink(join(disk, "image.tar"));
    await sink.put((await smallImage()).config);
    await assert.rejects(sink.put(large), failsWith("WRITE_FAILED", /image\.tar.*ENOSPC/));
    await sink.close();
    assert.equal(
      pathsIn(disk).some((path) => path.startsWith("image.tar")),
      false,
    );
  });
});
