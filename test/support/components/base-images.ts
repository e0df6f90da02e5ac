import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

/** A look-alike of AWS's base image NAME:TAG; its layers are given base first. */
export interface BaseImage {
  readonly name: string;
  readonly tag: string;
  readonly family: "docker" | "oci";
  readonly layers: readonly string[];
}

/** The images that tests run on. */
const IMAGES: readonly BaseImage[] = [
  { name: "python", tag: "3.12", family: "docker", layers: ["system", "python", "runtime-python"] },
  { name: "nodejs", tag: "22", family: "oci", layers: ["system", "nodejs-22", "runtime-nodejs"] },
  { name: "provided", tag: "al2023", family: "docker", layers: ["system"] },
];

/** Written out here and not taken from src/: what the tests expect must not come from what they test. */
const TYPES = {
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
} as const;

/** What every AWS base image sets (aws-lambda-base-images), and the nulls that Docker writes for what nobody set. */
const SETTINGS = {
  Env: [
    "LANG=en_US.UTF-8",
    "TZ=:/etc/localtime",
    "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT=/var/task",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
  ],
  Cmd: null,
  Volumes: null,
  WorkingDir: "/var/task",
  Entrypoint: ["/lambda-entrypoint.sh"],
  OnBuild: null,
  Labels: null,
};

interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/**
 * Pushes the images to the open registry at `url`, as lambda/NAME:TAG; by default python:3.12, nodejs:22 and
 * provided:al2023. Each is an index of linux/amd64 and a linux/arm64 that is the same but for its config.
 */
export async function pushBaseImages(url: string, images = IMAGES): Promise<void> {
  const directory = await baseLayers(images);
  await Promise.all(images.map((image) => pushBaseImage(url, directory, image)));
}

/** The directory of layers, built at most once on this machine for each version of what makes them (about 20 s). */
export async function baseLayers(images = IMAGES): Promise<string> {
  const layers = images.flatMap((image) => image.layers);
  const nodeOf = (layer: string) => /^nodejs-(\d+)$/.exec(layer)?.[1];
  const parts = layers.flatMap((layer) => (layer === "java" ? layer : (nodeOf(layer) ?? [])));
  const wanted = [...new Set(parts)].sort();
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const script = join(root, "scripts/base-images.sh");
  const runtimes = join(root, "testdata/runtimes");
  const inputs = readdirSync(runtimes, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const version = createHash("sha256").update(wanted.join());
  for (const file of [script, ...inputs.sort()]) version.update(readFileSync(file));
  const name = `lambda-pack-base-images-${process.getuid?.() ?? 0}-${version.digest("hex").slice(0, 12)}`;
  const directory = join(tmpdir(), name);
  await run("bash", [script, directory, ...wanted], { limitMs: 400_000 });
  return directory;
}

async function pushBaseImage(url: string, directory: string, image: BaseImage): Promise<void> {
  const types = TYPES[image.family];
  const repository = `${url}/v2/lambda/${image.name}`;
  const layers = [...image.layers, "entrypoint"].map((name) => readLayer(directory, name));
  await Promise.all(layers.map((layer) => putBlob(repository, layer)));
  const children: unknown[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const manifest = await pushChild(repository, image, layers, architecture);
    const { digest, bytes } = manifest;
    const platform = { architecture, os: "linux" };
    children.push({ mediaType: types.manifest, digest, size: bytes.length, platform });
  }
  const index = document({ schemaVersion: 2, mediaType: types.index, manifests: children });
  await putManifest(repository, image.tag, index, types.index);
}

async function pushChild(
  repository: string,
  { tag, family }: BaseImage,
  layers: readonly BaseLayer[],
  architecture: string,
): Promise<Blob> {
  const types = TYPES[family];
  const config = document({
    ...{ architecture, config: SETTINGS, created: "2026-01-01T00:00:00Z", history: null, os: "linux" },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  await putBlob(repository, config);
  const manifest = document({
    ...{ schemaVersion: 2, mediaType: types.manifest },
    config: { mediaType: types.config, size: config.bytes.length, digest: config.digest },
    layers: layers.map(({ digest, bytes }) => ({ mediaType: types.layer, size: bytes.length, digest })),
  });
  const suffix = architecture === "amd64" ? "x86_64" : "arm64";
  await putManifest(repository, `${tag}-${suffix}`, manifest, types.manifest);
  return manifest;
}

interface BaseLayer extends Blob {
  readonly diffId: string;
}

function readLayer(directory: string, name: string): BaseLayer {
  const bytes = readFileSync(join(directory, `${name}.tar.gz`));
  const diffId = `sha256:${readFileSync(join(directory, `${name}.diffid`), "utf8").trim()}`;
  return { digest: digestOf(bytes), bytes, diffId };
}

function document(value: unknown): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  return { digest: digestOf(bytes), bytes };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function putBlob(repository: string, { digest, bytes }: Blob): Promise<void> {
  if ((await fetch(`${repository}/blobs/${digest}`, { method: "HEAD" })).ok) return;
  const session = await expectStatus(202, fetch(`${repository}/blobs/uploads/`, { method: "POST" }));
  const location = new URL(session.headers.get("location") ?? "", repository);
  location.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  await expectStatus(201, fetch(location, { method: "PUT", body: bytes, headers }));
}

async function putManifest(
  repository: string,
  name: string,
  { bytes }: Blob,
  mediaType: string,
): Promise<void> {
  const headers = { "content-type": mediaType };
  const url = `${repository}/manifests/${name}`;
  await expectStatus(201, fetch(url, { method: "PUT", body: bytes, headers }));
}

async function expectStatus(status: number, answering: Promise<Response>): Promise<Response> {
  const answer = await answering;
  if (answer.status === status) return answer;
  throw new Error(`${answer.url} answered ${answer.status}: ${await answer.text()}`);
}
