import { join } from "node:path";
import { UnpackedFiles } from "../../../dependencies/unpacked.ts";
import { withZip, type Zip, type ZipEntry } from "../../../dependencies/zip.ts";
import { LambdaPackError } from "../../../errors.ts";
import type { Collection } from "../../../layer/collect.ts";
import { isNever } from "../../../layer/ignore/never.ts";
import { parseLinkTarget } from "../../../layer/names.ts";
import type { Session } from "../../../session/session.ts";
import { collectionOf as addedFiles, distributionsIn } from "../collect.ts";
import { fetchLayerVersion } from "./layer-version.ts";
import { emitFiles, type Part, type PartContext, refusePart } from "./part.ts";
import type { LambdaLayerPlan } from "./plan.ts";

/**
 * The unpacked size of all layers of a function ("Lambda quotas" in AWS's documentation). The limit
 * for files is lambda-pack's own: no layer has that many.
 */
const LIMITS = { bytes: 262_144_000, files: 100_000 };

/**
 * Unpacks the zip of a Lambda layer to /opt. Files are executable if the zip says so, and in
 * extensions/ always, as in Lambda.
 * @throws COMPOSITION_REFUSED for an entry that cannot be in an image; CONTENT_MISMATCH; what AWS
 * and the download throw
 */
export async function addLambdaLayer(plan: LambdaLayerPlan, context: PartContext): Promise<Part> {
  const { session } = context;
  const name = plan.kind === "zip" ? plan.path : plan.arn;
  const path = plan.kind === "zip" ? plan.path : await fetchLayerVersion(plan, context);
  const files = await withZip({ path, name: `the Lambda layer ${name}`, limits: LIMITS }, (zip) =>
    unpack(zip, name, session),
  );
  emitFiles(name, files, session);
  return { name: plan.layer, files };
}

async function unpack(zip: Zip, name: string, session: Session): Promise<Collection> {
  const unpacked = new UnpackedFiles(join(await session.cache.makeWorkDirectory(), "layer"));
  try {
    for (const entry of zip.entries) {
      session.signal.throwIfAborted();
      if (entry.kind !== "directory" && !isNever(entry.path)) await unpackOne(entry, zip, unpacked, name);
    }
    return collectionOf(unpacked, name);
  } finally {
    unpacked.close();
  }
}

/** The longest target of a link on Linux (PATH_MAX in limits.h). */
const LONGEST_TARGET = 4096;

async function unpackOne(entry: ZipEntry, zip: Zip, unpacked: UnpackedFiles, name: string): Promise<void> {
  const path = `opt/${entry.path}`;
  if (unpacked.has(path)) throw refuseEntry(name, entry, "which is in it twice");
  if (entry.kind === "other") throw refuseEntry(name, entry, "which is not a file, directory or link");
  if (entry.kind === "symlink") {
    if (entry.size > LONGEST_TARGET) throw refuseEntry(name, entry, "a link whose target is too long");
    const chunks: Uint8Array[] = [];
    for await (const chunk of zip.read(entry)) chunks.push(chunk);
    unpacked.addLink(path, parseLinkTarget(Buffer.concat(chunks), entry.path));
    return;
  }
  const isExecutable = (entry.mode & 0o111) !== 0 || /^extensions\/[^/]+$/.test(entry.path);
  await unpacked.addFile({ path, isExecutable, size: entry.size }, zip.read(entry));
}

function collectionOf(unpacked: UnpackedFiles, name: string): Collection {
  const entries = finish(unpacked, name);
  if (entries.length === 0)
    throw refusePart(`--lambda-layer ${name}: the zip has no file`, "name the zip of a Lambda layer");
  return addedFiles(entries, distributionsIn(entries));
}

function finish(unpacked: UnpackedFiles, name: string) {
  try {
    return unpacked.finish();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw refusePart(`--lambda-layer ${name}: ${error.message}`, "make the zip again", error);
  }
}

function refuseEntry(name: string, { path }: ZipEntry, what: string): LambdaPackError {
  return refusePart(
    `--lambda-layer ${name} has the entry ${JSON.stringify(path.slice(0, 200))}, ${what}`,
    "make the zip again without it",
  );
}
