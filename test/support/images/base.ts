import { gzipSync } from "node:zlib";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { contentOf, readAll } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Image, Layer } from "../../../src/oci/image.ts";
import { type Family, MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { type Architecture, platformOf } from "../../../src/oci/platform.ts";
import type { TestRegistry } from "../registry/registry.ts";

/** A small image with the settings of one of AWS's bases. */
export function lambdaBase(architecture: Architecture = "x86_64", family: Family = "docker"): Image {
  return compose(emptyImage(platformOf(architecture), family), {
    layers: [
      { name: "os", layer: layerOf(`the system for ${architecture}`) },
      { name: "runtime", layer: layerOf("the runtime") },
    ],
    entrypoint: ["/lambda-entrypoint.sh"],
    workingDir: "/var/task",
    env: { LAMBDA_TASK_ROOT: "/var/task", LAMBDA_RUNTIME_DIR: "/var/runtime" },
    created: new Date(0),
  });
}

function layerOf(text: string): Layer {
  return { ...contentOf(MEDIA_TYPES.docker.layer, gzipSync(text)), diffId: digestOf(text) };
}

/** Puts images under one tag: one as it is, several as an index. */
export async function publishBase(
  registry: TestRegistry,
  repository: string,
  tag: string,
  ...images: readonly Image[]
): Promise<void> {
  for (const image of images) await publish(registry, repository, image, images.length === 1 ? [tag] : []);
  if (images.length < 2) return;
  const { index } = MEDIA_TYPES[images[0]?.family ?? "oci"];
  const manifests = images.map(({ manifest, settings: { os, architecture } }) => ({
    ...manifest.descriptor,
    platform: { os, architecture },
  }));
  registry.addManifest(repository, index, { schemaVersion: 2, mediaType: index, manifests }, tag);
}

async function publish(
  registry: TestRegistry,
  repository: string,
  image: Image,
  tags: readonly string[],
): Promise<void> {
  for (const blob of [image.config, ...image.layers]) registry.addBlob(repository, await readAll(blob));
  const manifest: unknown = JSON.parse(String(await readAll(image.manifest)));
  registry.addManifest(repository, image.manifest.descriptor.mediaType, manifest, ...tags);
}
