import { statSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { openBlobs } from "../blobs/blobs.ts";
import { makeDirectories } from "../blobs/disk.ts";
import { checkOutput, createOutput } from "../blobs/output-file.ts";
import { DIRECTORY_MODE, partialName, sweepPartials } from "../blobs/partial.ts";
import { LambdaPackError } from "../errors.ts";
import { type Content, contentOf, type Descriptor, verified } from "../oci/content.ts";
import type { ImageSink } from "../oci/store.ts";
import { writeArchive } from "../tar/archive.ts";
import { type Described, describeManifest } from "./manifest.ts";
import { removeEmpty, upTo } from "./prepare.ts";

/** A file to write into the archive. */
export interface ArchivePart {
  readonly name: string;
  readonly content: Content;
}

interface ArchiveForm {
  /** As a user would write it. */
  readonly name: string;
  readonly path: string;
  /** Returns the files of the archive, in order. `open` returns a blob that was put. */
  readonly parts: (
    manifest: Content,
    described: Described,
    tags: readonly string[],
    open: (descriptor: Descriptor) => Content,
  ) => readonly ArchivePart[];
}

/**
 * Returns a sink that writes one image to an archive. Blobs arrive concurrently and in any order,
 * so they are stored in a directory beside the archive until `publish` writes them in order. The
 * same image and tags give the same bytes. An existing file at `path` is replaced atomically.
 */
export function archiveSink({ name, path, parts }: ArchiveForm): ImageSink {
  const waiting = join(isSpecial(path) ? tmpdir() : dirname(path), partialName(basename(path)));
  const blobs = openBlobs(waiting, { durability: "unsynced", access: "private" });
  let prepared: Promise<readonly string[]> | undefined;
  let published = false;
  const put: ImageSink["put"] = async (content, watch) => {
    prepared ??= prepareDirectory(path, waiting);
    await prepared;
    await blobs.put(content, watch);
    return "uploaded";
  };
  return {
    name,
    isPublished: async () => false,
    has: (descriptor) => blobs.has(descriptor),
    put,
    async publish(manifest, tags, signal) {
      await put(manifest, { signal });
      const described = await describeManifest(name, manifest, blobs, signal);
      await writeParts(path, parts(manifest, described, tags, blobs.open), signal);
      published = true;
    },
    async close() {
      const made = await prepared?.catch(() => undefined);
      if (!made) return;
      await rm(waiting, { recursive: true, force: true });
      if (!published) await removeEmpty(made);
    },
  };
}

/**
 * Creates the directories for the archive and returns those that were missing, innermost first.
 * Removes partial files of killed runs.
 */
async function prepareDirectory(path: string, waiting: string): Promise<readonly string[]> {
  const directory = dirname(path);
  await refuseDirectory(path);
  const top = makeDirectories(directory, DIRECTORY_MODE.shared);
  await sweepPartials(directory, (stem) => stem === basename(path));
  makeDirectories(waiting, DIRECTORY_MODE.private);
  return top === undefined ? [] : upTo(resolve(directory), resolve(top));
}

/** Blobs must not be stored beside a device or a FIFO, as in /dev. */
function isSpecial(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    return false; // writing reports what is wrong with the path
  }
}

/** Called before anything is packed. @throws WRITE_FAILED. */
async function refuseDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) return void (await checkOutput(path));
  throw new LambdaPackError("WRITE_FAILED", `cannot write ${path}: it is a directory`, {
    hint: `name a file in it, or write oci:${path} for a layout directory`,
  });
}

async function writeParts(path: string, parts: readonly ArchivePart[], signal?: AbortSignal): Promise<void> {
  const output = await createOutput(path);
  try {
    const files = parts.map(({ name, content }) => ({
      name,
      size: content.descriptor.size,
      read: () => verified(content, signal),
    }));
    for await (const chunk of writeArchive(files)) await output.write(chunk);
    await output.commit();
  } finally {
    await output.discard();
  }
}

export function jsonOf(text: string): Content {
  return contentOf("application/json", Buffer.from(text));
}

/** Removes duplicates: an image may have a layer twice; the archive has it once. */
export function onceEach(parts: readonly ArchivePart[]): readonly ArchivePart[] {
  return [...new Map(parts.map((part) => [part.name, part])).values()];
}
