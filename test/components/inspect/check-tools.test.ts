import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { check, type Finding } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { elf } from "../../support/formats/elf.ts";
import { file, withFiles, writeImage } from "../../support/images/check-image.ts";
import { run } from "../../support/run.ts";

/** A root file system as AWS's bases have it, as far as rules look. */
function makeRoot(root: string): void {
  for (const directory of ["bin", "opt", "tmp", "var/task", "var/runtime", "var/lang/bin", "lib64"])
    mkdirSync(join(root, directory), { recursive: true });
  const executable = (path: string, bytes: string | Buffer) =>
    writeFileSync(join(root, path), bytes, { mode: 0o755 });
  executable("bin/sh", elf());
  executable("lambda-entrypoint.sh", "#!/bin/sh\nexec /var/runtime/bootstrap\n");
  executable("var/runtime/bootstrap", "#!/bin/sh\n");
  executable("var/lang/bin/python3.12", elf());
  executable("lib64/libc.so.6", elf({ defined: ["GLIBC_2.34"] }));
  writeFileSync(join(root, "var/task/app.py"), "def handler(event, context):\n    return event\n");
  symlinkSync("app.py", join(root, "var/task/main.py"));
}

const SETTINGS = [
  "--config.entrypoint",
  "/lambda-entrypoint.sh",
  "--config.cmd",
  "app.handler",
  "--config.workingdir",
  "/var/task",
];

describeReal("check of what other tools build", ["umoci", "buildah", "skopeo", "tar", "root"], () => {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-check-tools-"));
  const at = (name: string) => join(directory, name);
  const root = at("root");
  before(() => {
    process.umask(0o022);
    makeRoot(root);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function rules(source: string, more: { readonly arch?: "arm64" } = {}): Promise<readonly Finding[]> {
    const { findings } = await check({ source, cache: false, environment: {}, ...more });
    return findings;
  }
  const ids = async (source: string) => (await rules(source)).map(({ rule }) => rule);

  /** An image that umoci makes, with what `change` does to the root file system in a layer of its own. */
  async function umoci(name: string, change?: (rootfs: string) => void): Promise<string> {
    const image = `${at(name)}:v1`;
    await run("umoci", ["init", "--layout", at(name)]);
    await run("umoci", ["new", "--image", image]);
    await run("umoci", ["insert", "--image", image, root, "/"]);
    if (change) {
      await run("umoci", ["unpack", "--image", image, at(`${name}-bundle`)]);
      change(at(`${name}-bundle/rootfs`));
      await run("umoci", ["repack", "--image", image, at(`${name}-bundle`)]);
    }
    await run("umoci", ["config", "--image", image, ...SETTINGS]);
    return `oci:${image}`;
  }

  const STORAGE = () => ["--storage-driver", "vfs", "--root", at("buildah"), "--runroot", at("buildah-run")];
  async function buildah(
    name: string,
    last: (container: string, to: string) => readonly string[],
  ): Promise<string> {
    const container = (await run("buildah", [...STORAGE(), "from", "scratch"])).trim();
    await run("buildah", [...STORAGE(), "copy", container, root, "/"]);
    const starts = ["--entrypoint", '["/lambda-entrypoint.sh"]', "--cmd", "app.handler"];
    await run("buildah", [...STORAGE(), "config", ...starts, "--workingdir", "/var/task", container]);
    const to = `oci:${at(name)}:v1`;
    await run("buildah", [...STORAGE(), ...last(container, to)]);
    return to;
  }

  /** A layer that GNU tar wrote, in a layout of our own making. */
  async function tarBuilt(name: string, ...args: readonly string[]): Promise<string> {
    await run("tar", [
      "--numeric-owner",
      "--owner=0",
      "--group=0",
      "-czf",
      at(`${name}.tar.gz`),
      "-C",
      root,
      ...args,
    ]);
    return writeImage({
      ...withFiles(),
      layers: [readFileSync(at(`${name}.tar.gz`))],
      more: { rootfs: { type: "layers", diff_ids: [await diffId(at(`${name}.tar.gz`))] } },
    });
  }
  async function diffId(gzip: string): Promise<string> {
    return `sha256:${(await run("sh", ["-c", 'gzip -dc "$1" | sha256sum', "sh", gzip])).slice(0, 64)}`;
  }

  it("finds nothing in good ones of umoci, buildah, skopeo and tar", async () => {
    const own = await umoci("good");
    assert.deepEqual(await ids(own), []);
    assert.deepEqual(
      await ids(
        await buildah("good-buildah", (container, to) => [
          "commit",
          "-q",
          "--format",
          "oci",
          "--disable-compression=false",
          container,
          to,
        ]),
      ),
      [],
    );
    await run("skopeo", ["copy", "-q", "--format", "oci", own, `oci-archive:${at("good.tar")}:v1`]);
    assert.deepEqual(await ids(`oci-archive:${at("good.tar")}`), []);
    await run("skopeo", ["copy", "-q", own, `docker-archive:${at("good-docker.tar")}:app:v1`]);
    assert.deepEqual(await ids(`docker-archive:${at("good-docker.tar")}`), []);
    assert.deepEqual(await ids(await tarBuilt("good-tar", "--sort=name", ...readdirSync(root))), []);
  });

  it("finds the file of mode 0600 in a layer of umoci's, and that such layers bring no directories", async () => {
    const found = await rules(
      await umoci("closed", (rootfs) => chmodSync(join(rootfs, "var/task/app.py"), 0o600)),
    );
    assert.deepEqual(
      found.map(({ rule, path }) => [rule, path]),
      [
        ["missing-parent", "/var/task/app.py"],
        ["readable", "/var/task/app.py"],
      ],
    );
  });

  it("finds an extension for another machine in a layer of umoci's, and nothing else", async () => {
    const source = await umoci("wrong", (rootfs) => {
      mkdirSync(join(rootfs, "opt/extensions"), { recursive: true });
      writeFileSync(join(rootfs, "opt/extensions/agent"), elf({ machine: "arm64" }), { mode: 0o755 });
    });
    const found = await rules(source);
    assert.deepEqual(
      found.map(({ rule, path }) => [rule, path]),
      [["native-architecture", "/opt/extensions/agent"]],
    );
  });

  it("finds files before their directories, and directories that are nowhere, in layers of tar's", async () => {
    const paths = await listOf(root);
    const others = paths.filter((path) => path !== "bin/sh");
    const late = await rules(await tarBuilt("late", "--no-recursion", "bin/sh", ...others));
    assert.deepEqual(
      late.map(({ rule, path }) => [rule, path]),
      [["missing-parent", "/bin/sh"]],
    );
    const none = await rules(
      await tarBuilt("none", "--no-recursion", ...paths.filter((path) => path !== "var/runtime")),
    );
    assert.deepEqual(
      none.map(({ rule, path }) => [rule, path]),
      [["missing-parent", "/var/runtime/bootstrap"]],
    );
  });

  it("finds the uncompressed layers that buildah leaves", async () => {
    const source = await buildah("plain", (container, to) => [
      "commit",
      "-q",
      "--format",
      "oci",
      "--disable-compression=true",
      container,
      to,
    ]);
    const found = await rules(source);
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ["media-types"],
    );
    assert.match(found[0]?.message ?? "", /layer 1 of 1 is application\/vnd\.oci\.image\.layer\.v1\.tar$/);
  });

  it("finds the index with an attestation that buildx would push, made by hand in an image of umoci's", async () => {
    const source = await umoci("attested");
    const index = JSON.parse(readFileSync(at("attested/index.json"), "utf8"));
    const [image] = index.manifests;
    cpSync(at("attested"), at("indexed"), { recursive: true });
    const child = { ...image, annotations: undefined, platform: { os: "linux", architecture: "amd64" } };
    const document = JSON.stringify({
      ...{ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" },
      manifests: [child, { ...child, platform: { os: "unknown", architecture: "unknown" } }],
    });
    const digest = (await run("sh", ["-c", 'printf %s "$1" | sha256sum', "sh", document])).slice(0, 64);
    writeFileSync(at(`indexed/blobs/sha256/${digest}`), document);
    const entry = {
      mediaType: "application/vnd.oci.image.index.v1+json",
      digest: `sha256:${digest}`,
      size: Buffer.byteLength(document),
    };
    writeFileSync(
      at("indexed/index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations: image.annotations }] }),
    );
    assert.deepEqual(await ids(source), []);
    const found = await rules(`oci:${at("indexed")}:v1`);
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ["index-under-tag"],
    );
    assert.match(found[0]?.message ?? "", /linux\/amd64, and 1 that are attestations/);
  });

  it("finds the wrong architecture of an image of another machine's", async () => {
    const found = await rules(await umoci("machine"), { arch: "arm64" });
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ["platform"],
    );
    const broken = await rules(await writeImage(withFiles(file("../escape"))));
    assert.deepEqual(
      broken.map(({ rule }) => rule),
      ["entry-name"],
    );
  });
});

/** Every path in the directory, directories before what is in them. */
async function listOf(root: string): Promise<readonly string[]> {
  const found = await run("sh", ["-c", 'cd "$1" && find . -mindepth 1 | sort', "sh", root]);
  return found
    .trim()
    .split("\n")
    .map((path) => path.slice("./".length));
}
