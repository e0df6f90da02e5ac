import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { checkOutput } from "../blobs/output-file.ts";
import { LambdaPackError } from "../errors.ts";
import type { BuildResult, LayerReport, PushResult } from "../index.ts";

/**
 * Formats the object of `--json` and `--metadata-file` on one line, with exactly these fields in
 * this order.
 */
export function resultJson(result: PushResult | BuildResult): string {
  const { digest, reference, destinations, platform, layers, stats } = result;
  return `${JSON.stringify({
    digest,
    reference,
    destinations: destinations.map((one) => ({ reference: one.reference, digest: one.digest })),
    platform,
    ...("base" in result && {
      base: {
        reference: result.base.reference,
        digest: result.base.digest,
        reason: result.base.reason,
      },
    }),
    ...("handler" in result && { handler: result.handler }),
    ...("dependencies" in result && { dependencies: result.dependencies }),
    layers: layers.map(layerJson),
    ...("encoder" in result && { encoder: result.encoder }),
    ...(result.changes && { changes: result.changes }),
    stats,
  })}\n`;
}

function layerJson({ name, digest, diffId, size, files, how }: LayerReport): LayerReport {
  return { name, digest, diffId, size, files, how };
}

/** Checks that a file can be written at `path`, before any work is done. @throws WRITE_FAILED */
export async function checkDestination(path: string): Promise<void> {
  const found = await stat(dirname(path)).catch((cause: unknown) => {
    throw writeFailed(path, cause, `create the directory ${dirname(path)} first`);
  });
  if (!found.isDirectory()) throw writeFailed(path, undefined, `${dirname(path)} is not a directory`);
  await checkOutput(path);
}

function writeFailed(path: string, cause: unknown, hint: string | undefined): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `${path} cannot be written`, { cause, hint });
}
