import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import { elf } from "../formats/elf.ts";
import { temporaryDirectory } from "../trees.ts";

/** An entry of a layer: a text or bytes is a file, null a directory; `name` may be whatever no tool would write. */
export interface TestEntry extends Partial<Omit<Header, "name">> {
  readonly name: string;
  readonly body?: string | Buffer;
}

export interface TestImage {
  /** Base first; bytes are taken for a layer's blob as they are. */
  readonly layers: readonly (readonly TestEntry[] | Buffer)[];
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly config: Readonly<Record<string, unknown>>;
  /** Fields of the config beside those. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Default: gzip layers, OCI's. */
  readonly layerType?: string;
  readonly configType?: string;
  readonly manifestType?: string;
  /** The tag names an index of these platforms, each with the same image. */
  readonly index?: readonly { readonly os: string; readonly architecture: string }[];
}

/** Directories, then a file, as a tool that knows Lambda writes them. */
export function directories(...paths: readonly string[]): readonly TestEntry[] {
  return paths.map((name) => ({ name: `${name}/`, type: "directory", mode: 0o755 }));
}

export function file(name: string, body: string | Buffer = "", mode = 0o644): TestEntry {
  return { name, body, mode };
}

export const BASE_LAYER: readonly TestEntry[] = [
  ...directories("bin"),
  file("bin/sh", elf(), 0o755),
  ...directories("etc"),
  file("etc/os-release", 'PRETTY_NAME="Amazon Linux 2023"\n'),
  file("lambda-entrypoint.sh", "#!/bin/sh\nexec /var/runtime/bootstrap\n", 0o755),
  ...directories("lib64"),
  file("lib64/libc.so.6", elf({ defined: ["GLIBC_2.17", "GLIBC_2.34"] }), 0o755),
  ...directories("opt", "tmp", "var", "var/lang", "var/lang/bin"),
  file("var/lang/bin/python3.12", elf(), 0o755),
  ...directories("var/runtime"),
  file("var/runtime/bootstrap", "#!/bin/sh\n", 0o755),
  ...directories("var/task"),
];

export const APP_LAYER: readonly TestEntry[] = [
  ...directories("var", "var/task"),
  file("var/task/app.py", "def handler(event, context):\n    return event\n"),
];

/** Nothing is wrong with it. */
export const GOOD: TestImage = {
  layers: [BASE_LAYER, APP_LAYER],
  platform: { os: "linux", architecture: "amd64" },
  config: {
    Entrypoint: ["/lambda-entrypoint.sh"],
    Cmd: ["app.handler"],
    WorkingDir: "/var/task",
    Env: ["PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LAMBDA_TASK_ROOT=/var/task"],
    Labels: { "org.opencontainers.image.base.name": "public.ecr.aws/lambda/python:3.12" },
  },
};

/** {@link GOOD} with more in its app layer. */
export function withFiles(...entries: readonly TestEntry[]): TestImage {
  return { ...GOOD, layers: [BASE_LAYER, [...APP_LAYER, ...entries]] };
}

/** {@link GOOD} with other settings. */
export function withConfig(config: Readonly<Record<string, unknown>>): TestImage {
  return { ...GOOD, config: { ...GOOD.config, ...config } };
}

const OCI = "application/vnd.oci.image";

/** Writes the image, right or wrong, as an OCI layout, and returns how the command line names it. */
export async function writeImage(image: TestImage): Promise<string> {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const put = (bytes: Buffer) => {
    writeFileSync(join(directory, "blobs/sha256", hex(bytes)), bytes);
    return { digest: `sha256:${hex(bytes)}`, size: bytes.length };
  };
  const document = (value: unknown) => put(Buffer.from(JSON.stringify(value)));
  const layers = await Promise.all(image.layers.map(layerOf));
  const config = document({
    ...image.platform,
    config: image.config,
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created_by: "a test" })),
    ...image.more,
  });
  const mediaType = image.manifestType ?? `${OCI}.manifest.v1+json`;
  const manifest = document({
    ...{ schemaVersion: 2, mediaType },
    config: { mediaType: image.configType ?? `${OCI}.config.v1+json`, ...config },
    layers: layers.map(({ blob }) => ({
      mediaType: image.layerType ?? `${OCI}.layer.v1.tar+gzip`,
      ...put(blob),
    })),
  });
  const index = `${OCI}.index.v1+json`;
  const manifests = image.index?.map((platform) => ({ mediaType, ...manifest, platform }));
  const top = manifests
    ? { mediaType: index, ...document({ schemaVersion: 2, mediaType: index, manifests }) }
    : { mediaType, ...manifest };
  const entry = { ...top, annotations: { "org.opencontainers.image.ref.name": "v1" } };
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return `oci:${directory}:v1`;
}

function hex(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The blob of a layer with these entries, and the digest of its tar. */
export async function layerOf(
  entries: readonly TestEntry[] | Buffer,
): Promise<{ readonly blob: Buffer; readonly diffId: Digest }> {
  if (Buffer.isBuffer(entries)) return { blob: entries, diffId: digestOf(entries) };
  const tar = await tarOf(entries);
  return { blob: gzipSync(tar, { level: 1 }), diffId: digestOf(tar) };
}

export async function tarOf(entries: readonly TestEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry({ mtime: new Date(0), ...header }, body ?? "");
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
  return Buffer.concat(chunks);
}
