import assert from "node:assert/strict";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, it } from "node:test";
import { openLayout } from "../../../src/layout/directory.ts";
import { dockerArchiveSink, dockerArchiveSource } from "../../../src/layout/docker-archive.ts";
import { ociArchiveSink, ociArchiveSource } from "../../../src/layout/oci-archive.ts";
import { readAll } from "../../../src/oci/content.ts";
import { type Image, sizeOf } from "../../../src/oci/image.ts";
import { indexArchive, writeArchive } from "../../../src/tar/archive.ts";
import { describeReal } from "../../support/components/components.ts";
import { send, smallImage } from "../../support/images/small-image.ts";
import { run } from "../../support/run.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const temporary = temporaryDirectory();
const layout = join(temporary, "layout");
const ociArchive = join(temporary, "oci.tar");
const dockerArchive = join(temporary, "shop.tar");

async function* neverRead(): AsyncGenerator<Uint8Array> {}

const diffIdsOf = (image: Image) => image.settings.rootfs.diff_ids;

async function readWhole(image: Image): Promise<Image> {
  for (const layer of image.layers) await readAll(layer);
  return image;
}

describeReal(
  "what others make of our layouts and archives",
  ["skopeo", "umoci", "oci-image-tool", "buildah"],
  () => {
    let image: Image;
    before(async () => {
      image = await smallImage();
      for (const sink of [openLayout(layout), ociArchiveSink(ociArchive), dockerArchiveSink(dockerArchive)]) {
        await send(image, sink, ["v1"]);
        await sink.close();
      }
    });

    it("skopeo finds our manifest, byte for byte, in a layout and in an OCI archive", async () => {
      const manifest = Buffer.from(await readAll(image.manifest)).toString();
      for (const source of [`oci:${layout}:v1`, `oci-archive:${ociArchive}:v1`]) {
        assert.equal(await run("skopeo", ["inspect", "--raw", source]), manifest);
      }
    });

    it("skopeo finds the image in a docker archive by the name of the file and the tag", async () => {
      const config = await run("skopeo", ["inspect", "--config", `docker-archive:${dockerArchive}:shop:v1`]);
      assert.deepEqual(JSON.parse(config).rootfs.diff_ids, diffIdsOf(image));
    });

    it("skopeo copies all three, and checks every digest on the way", async () => {
      const sources = {
        layout: `oci:${layout}:v1`,
        oci: `oci-archive:${ociArchive}`,
        docker: `docker-archive:${dockerArchive}`,
      };
      for (const [name, source] of Object.entries(sources)) {
        const copy = join(temporary, `copy-of-${name}`);
        await run("skopeo", ["copy", "-q", source, `oci:${copy}:v1`]);
        assert.deepEqual(
          diffIdsOf(await readWhole(await openLayout(copy).pull("v1", undefined))),
          diffIdsOf(image),
        );
      }
    });

    it("skopeo finds an image of Docker's media types in a layout when no tag is named", async () => {
      // By tag, containers/image looked only at OCI's own types then (1.9.3: "no descriptor found for reference"); umoci refuses them still.
      const directory = join(temporary, "docker-types");
      const docker = await smallImage({ family: "docker" });
      await send(docker, openLayout(directory), ["v1"]);
      const manifest = Buffer.from(await readAll(docker.manifest)).toString();
      assert.equal(await run("skopeo", ["inspect", "--raw", `oci:${directory}`]), manifest);
    });

    it("umoci unpacks a layout", async () => {
      const bundle = join(temporary, "bundle");
      await run("umoci", ["unpack", "--rootless", "--image", `${layout}:v1`, bundle]);
      assert.equal(readFileSync(join(bundle, "rootfs", "var", "task", "app.txt"), "utf8"), "hello");
    });

    it("oci-image-tool finds a layout valid", async () => {
      await run("oci-image-tool", ["validate", "--type", "image", "--ref", "name=v1", layout]);
    });

    it("buildah starts from a docker archive", async () => {
      const storage = [
        "--storage-driver",
        "vfs",
        "--root",
        join(temporary, "storage"),
        "--runroot",
        join(temporary, "run"),
      ];
      await run("buildah", [...storage, "from", `docker-archive:${dockerArchive}`]);
      const images = JSON.parse(await run("buildah", [...storage, "images", "--json"]));
      assert.deepEqual(images[0].names, ["localhost/shop:v1"]);
    });
  },
);

describeReal("what we make of others' layouts and archives", ["skopeo", "umoci"], () => {
  let image: Image;
  before(async () => {
    image = await smallImage({ text: "from elsewhere" });
    const sink = openLayout(join(temporary, "source"));
    await send(image, sink, ["v1"]);
    await sink.close();
  });

  const copyTo = (destination: string) =>
    run("skopeo", ["copy", "-q", `oci:${join(temporary, "source")}:v1`, destination]);

  it("skopeo's layout is read", async () => {
    await copyTo(`oci:${join(temporary, "skopeo")}:v2`);
    const found = await readWhole(await openLayout(join(temporary, "skopeo")).pull("v2", undefined));
    assert.deepEqual(diffIdsOf(found), diffIdsOf(image));
  });

  it("skopeo's OCI archive is read", async () => {
    const path = join(temporary, "skopeo-oci.tar");
    await copyTo(`oci-archive:${path}`);
    const found = await readWhole(await ociArchiveSource(path).pull(undefined, undefined));
    assert.deepEqual(diffIdsOf(found), diffIdsOf(image));
  });

  it("skopeo's docker archive is read, in the old form of docker save", async () => {
    const path = join(temporary, "skopeo-docker.tar");
    await copyTo(`docker-archive:${path}:shop/app:v2`);
    const found = await readWhole(await dockerArchiveSource(path).pull("shop/app:v2", undefined));
    assert.deepEqual(
      found.layers.map(({ descriptor }) => descriptor.digest),
      diffIdsOf(image),
    );
  });

  it("a layout in which umoci made an image keeps it beside ours", async () => {
    const directory = join(temporary, "umoci");
    await run("umoci", ["init", "--layout", directory]);
    await run("umoci", ["new", "--image", `${directory}:theirs`]);
    await send(image, openLayout(directory), ["ours"]);
    await run("umoci", ["tag", "--image", `${directory}:ours`, "again"]);
    assert.equal(await run("umoci", ["list", "--layout", directory]), "theirs\nours\nagain\n");
    const again = await readWhole(await openLayout(directory).pull("again", undefined));
    assert.equal(sizeOf(again), sizeOf(image));
    assert.deepEqual((await openLayout(directory).pull("theirs", undefined)).layers, []);
  });
});

describeReal("what tar programs and we make of each other's headers", ["tar", "bsdtar", "python3"], () => {
  it("a file of 9 GiB is one to them", async () => {
    const size = 9 * 1024 ** 3;
    const path = join(temporary, "huge.tar");
    const archive = writeArchive([{ name: "layer.tar", size, read: neverRead }]);
    const first = await archive.next();
    await archive.return(undefined);
    writeFileSync(path, first.value ?? "");
    truncateSync(path, 512 + size + 1024);
    const script = "import sys, tarfile; print(*[(m.name, m.size) for m in tarfile.open(sys.argv[1])])";
    assert.equal(await run("python3", ["-c", script, path]), `('layer.tar', ${size})\n`);
    for (const program of ["tar", "bsdtar"])
      assert.match(await run(program, ["-tvf", path]), new RegExp(` ${size} `));
  });

  it("names of every length are the same to us", async () => {
    const tree = join(temporary, "tree");
    const long = "d".repeat(90);
    const deepest = join(long, long, long);
    for (const name of ["short", long, join(long, long), deepest]) {
      mkdirSync(join(tree, name), { recursive: true });
      writeFileSync(join(tree, name, "file"), name);
    }
    // ustar has no room for more than 256 bytes, and GNU tar says so.
    const formats = { gnu: [], oldgnu: [], pax: [], ustar: [`--exclude=./${deepest}`] };
    for (const [format, options] of Object.entries(formats)) {
      const path = join(temporary, `${format}.tar`);
      await run("tar", ["-cf", path, `--format=${format}`, "-C", tree, ...options, "."]);
      const members = await indexArchive(path);
      assert.equal(members.size, format === "ustar" ? 3 : 4, format);
      for (const [name, member] of members) {
        assert.ok(member.kind === "file");
        const bytes = readFileSync(path).subarray(member.offset, member.offset + member.size);
        assert.deepEqual(bytes, readFileSync(join(tree, name)));
      }
    }
  });
});
