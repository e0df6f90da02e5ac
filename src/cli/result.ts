import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { LambdaPackError } from "../errors.ts";
import type { BuildResult, LayerReport, PushResult } from "../index.ts";

/** The one object of `--json` and `--metadata-file`, as one line: these fields, in this order, and no other. */
export function resultJson(result: PushResult | BuildResult): string {
  const { digest, reference, destinations, platform, layers, stats } = result;
  return `${JSON.stringify({
    digest,
    reference,
    destinations: destinations.map((one) => ({ reference: one.reference, digest: one.digest })),
    platform,
    ...("base" in result && { base: { reference: result.base.reference, digest: result.base.digest } }),
    layers: layers.map(layerJson),
    stats,
  })}\n`;
}

function layerJson({ name, digest, diffId, size, files, how }: LayerReport): LayerReport {
  return { name, digest, diffId, size, files, how };
}

/** Throws WRITE_FAILED when a file could not be written there: better known before an hour's push than after. */
export async function checkFolderOf(path: string): Promise<void> {
  const found = await stat(dirname(path)).catch((cause: unknown) => {
    throw writeFailed(path, cause, "its folder has to be there first");
  });
  if (!found.isDirectory()) throw writeFailed(path, undefined, `${dirname(path)} is not a folder`);
}

/** Afterwards `path` holds `text`, whole; on failure what it held before. @throws WRITE_FAILED */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeFailed(path, cause, undefined);
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function writeFailed(path: string, cause: unknown, hint: string | undefined): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `${path} cannot be written`, { cause, hint });
}
