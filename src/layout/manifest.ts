import type { Blobs } from "../blobs/blobs.ts";
import { LambdaPackError } from "../errors.ts";
import { type Content, type Descriptor, readAll } from "../oci/content.ts";
import { parseDocument, parseImageConfig } from "../oci/documents.ts";
import type { Platform } from "../oci/platform.ts";

/** A manifest whose blobs are all in the layout. */
export type Described = Awaited<ReturnType<typeof describeManifest>>;

/**
 * Reads a manifest before it is published.
 * @throws IMAGE_INVALID when a blob that it names is missing: a layout must not list an incomplete
 * image.
 */
export async function describeManifest(name: string, manifest: Content, blobs: Blobs, signal?: AbortSignal) {
  const document = parseDocument(await readAll(manifest, signal), manifest.descriptor.mediaType);
  // A tag names one manifest, never an index, which Lambda refuses (aws-lambda-roadmap#82).
  if (document.kind === "index") {
    throw new LambdaPackError("IMAGE_UNSUPPORTED", `${manifest.descriptor.digest} is an index, not an image`);
  }
  const { config, layers } = document.manifest;
  for (const blob of [config, ...layers]) {
    if (!(await blobs.has(blob))) throw missing(name, manifest, blob);
  }
  const { os, architecture, variant } = parseImageConfig(await readAll(blobs.open(config), signal));
  const platform: Platform = { architecture, os, ...(variant !== undefined && { variant }) };
  return { platform, config, layers };
}

/** Returns whether a manifest and all its blobs are in the layout. */
export async function isWhole(manifest: Descriptor, blobs: Blobs): Promise<boolean> {
  if (!(await blobs.has(manifest))) return false;
  const document = parseDocument(await readAll(blobs.open(manifest)), manifest.mediaType);
  if (document.kind === "index") return false;
  const { config, layers } = document.manifest;
  const held = await Promise.all([config, ...layers].map((blob) => blobs.has(blob)));
  return held.every(Boolean);
}

function missing(name: string, manifest: Content, blob: Descriptor): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `${manifest.descriptor.digest} names ${blob.digest}, which is not in ${name}`,
    { hint: "run again; if another process removed it, let only one of them write there" },
  );
}
