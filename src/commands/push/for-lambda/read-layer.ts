import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { LambdaPackError } from "../../../errors.ts";
import { type Content, verified } from "../../../oci/content.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Layer } from "../../../oci/image.ts";
import { type Budget, scanLayer } from "../../../rootfs/scan.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { type DirectoryPlan, DirectoryWatch } from "./directories.ts";
import { decompressZstd, isZstd } from "./zstd.ts";

/** What a layer turned out to be. */
export interface ReadLayer {
  readonly compression: "gzip" | "zstd" | "none";
  /** The layer as what is inside its zstd; else the layer itself. */
  readonly content: Content;
  /** Of the tar inside. */
  readonly diffId: Digest;
  readonly bytes: number;
  /** Which directories have to be added. */
  readonly plan: DirectoryPlan;
}

export interface ReadContext {
  /** Of the layers below; gets the entries of this one. */
  readonly view: MergedView;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/**
 * Reads a layer from its first byte to its last.
 * @throws CONTENT_MISMATCH where it is not what manifest and config say; IMAGE_INVALID for a
 * damaged one or a bomb; IMAGE_UNSUPPORTED where a directory that it lacks is a link below it.
 */
export async function readLayer(layer: Layer, index: number, context: ReadContext): Promise<ReadLayer> {
  const { view, budget, signal } = context;
  const { digest, size } = layer.descriptor;
  const isCompressed = await startsAsZstd(layer, signal);
  const content = isCompressed ? withoutZstd(layer) : layer;
  const watch = new DirectoryWatch(index, view);
  const scan = await scanLayer(content, watch.visitor(), { budget, signal });
  if (!isCompressed && (scan.digest !== digest || scan.size !== size))
    throw notAsSaid(`the layer ${digest} has the digest ${scan.digest} and ${scan.size} bytes`);
  if (scan.diffId !== layer.diffId)
    throw notAsSaid(`the layer ${digest} unpacks to ${scan.diffId}, and the config says ${layer.diffId}`);
  const compression = isCompressed ? "zstd" : scan.compression;
  return { compression, content, diffId: scan.diffId, bytes: scan.bytes, plan: watch.plan() };
}

async function startsAsZstd(layer: Layer, signal: AbortSignal): Promise<boolean> {
  let start = Buffer.alloc(0);
  for await (const chunk of layer.read(0, signal)) {
    start = Buffer.concat([start, chunk.subarray(0, 4)]);
    if (start.length >= 4) break;
  }
  return isZstd(start);
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

/** The tar of a layer that was read before. @throws what reading and decompressing throw. */
export async function* untar(
  { compression, content }: ReadLayer,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (compression !== "gzip") return yield* content.read(0, signal);
  const gunzip = createGunzip();
  const feeding = pipeline(content.read(0, signal), gunzip);
  feeding.catch(() => undefined); // the reading of what comes out throws the same
  for await (const chunk of gunzip) yield chunk as Uint8Array; // zlib gives nothing else
  await feeding;
}
