import { LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import type { Archive, ArchivedFile } from "./archive.ts";

const TAR = "application/vnd.docker.image.rootfs.diff.tar";

/**
 * Returns the layers with these names from a Docker archive, base first. The digest of an
 * uncompressed layer is its diffID; its bytes are checked when they are read. A compressed layer is
 * read once for its digest, because its name is not reliable (Jib, Bazel and docker differ).
 * @throws LAYOUT_INVALID when a layer is missing.
 */
export async function layersOf(
  archive: Archive,
  names: readonly string[],
  diffIds: readonly Digest[],
  signal?: AbortSignal,
): Promise<readonly Content[]> {
  const layers: Content[] = [];
  for (const [index, name] of names.entries()) {
    const file = archive.find(name);
    if (!file) throw new LambdaPackError("LAYOUT_INVALID", `${archive.path} has no layer ${name}`);
    const mediaType = await typeOf(archive, file);
    const known = mediaType === TAR ? diffIds[index] : undefined;
    const digest = known ?? (await digestOfFile(archive, file, signal));
    layers.push(archive.content({ mediaType, digest, size: file.size }, file));
  }
  return layers;
}

/** Detects gzip (RFC 1952) and zstd (RFC 8878) by their first bytes; everything else is a tar. */
async function typeOf(archive: Archive, file: ArchivedFile): Promise<string> {
  const magic = await firstBytes(archive, file);
  if (magic.startsWith("1f8b")) return `${TAR}.gzip`;
  return magic.startsWith("28b52ffd") ? `${TAR}.zstd` : TAR;
}

async function firstBytes(archive: Archive, file: ArchivedFile): Promise<string> {
  const head = { ...file, size: Math.min(file.size, 4) };
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive.read(head, 0)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("hex");
}

async function digestOfFile(archive: Archive, file: ArchivedFile, signal?: AbortSignal): Promise<Digest> {
  const digester = createDigester();
  for await (const chunk of archive.read(file, 0, signal)) digester.update(chunk);
  return digester.digest();
}
