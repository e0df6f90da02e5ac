import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { LambdaPackError } from "../../../errors.ts";
import { type Content, verified } from "../../../oci/content.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Layer } from "../../../oci/image.ts";
import { type Compression, compressionOf } from "../../../oci/media-types.ts";
import { type Budget, scanLayer } from "../../../rootfs/scan.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { type DirectoryPlan, DirectoryWatch } from "./directories.ts";
import { decompressZstd } from "./zstd.ts";

/** A layer that was read completely. */
export interface ReadLayer {
  readonly compression: Compression;
  /** The decompressed content of a zstd layer, else the layer itself. */
  readonly content: Content;
  /** The diffID of the tar. */
  readonly diffId: Digest;
  readonly bytes: number;
  /** The directories that have to be added. */
  readonly plan: DirectoryPlan;
}

interface ReadContext {
  /** The merged view of the layers below, to which the entries of this layer are added. */
  readonly view: MergedView;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/**
 * Reads a complete layer.
 * @throws CONTENT_MISMATCH if it differs from the manifest or config; IMAGE_INVALID if it is
 * damaged or inflates too much; IMAGE_UNSUPPORTED if a directory that it lacks is a link in a layer
 * below
 */
export async function readLayer(layer: Layer, index: number, context: ReadContext): Promise<ReadLayer> {
  const { view, budget, signal } = context;
  const { digest, size } = layer.descriptor;
  const isZstd = (await compressionOf(layer.read(0, signal))) === "zstd";
  const content = isZstd ? withoutZstd(layer) : layer;
  const watch = new DirectoryWatch(index, view);
  const scan = await scanLayer(content, watch.visitor(), { budget, signal });
  if (!isZstd && (scan.digest !== digest || scan.size !== size))
    throw notAsSaid(`the layer ${digest} has the digest ${scan.digest} and ${scan.size} bytes`);
  if (scan.diffId !== layer.diffId)
    throw notAsSaid(`the layer ${digest} unpacks to ${scan.diffId}, and the config says ${layer.diffId}`);
  const compression = isZstd ? "zstd" : scan.compression;
  return { compression, content, diffId: scan.diffId, bytes: scan.bytes, plan: watch.plan() };
}

function withoutZstd(layer: Layer): Content {
  const { digest } = layer.descriptor;
  return {
    descriptor: layer.descriptor,
    async *read(from = 0, signal) {
      if (from > 0) throw new Error("what is inside a zstd layer is read from its start");
      yield* decompressZstd(verified(layer, signal), digest);
    },
  };
}

function notAsSaid(message: string): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", message, {
    hint: "the image is damaged, or was put together wrongly: build and push it again",
  });
}

/** Returns the tar of a layer that was read before. @throws what reading and decompressing throw */
export async function* untar(
  { compression, content }: ReadLayer,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (compression !== "gzip") return yield* content.read(0, signal);
  const gunzip = createGunzip();
  const feeding = pipeline(content.read(0, signal), gunzip);
  feeding.catch(() => undefined); // reading the output throws the same error
  for await (const chunk of gunzip) yield chunk as Uint8Array; // zlib only yields bytes
  await feeding;
}
