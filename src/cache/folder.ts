import { closeSync, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOB_STEM } from "../blobs/blobs.ts";
import { FILE_MODE, FILE_STEM, partialName, replaceFile, sweepPartials } from "../blobs/partial.ts";
import { readRegularFile } from "../blobs/regular-file.ts";
import { writeFailed } from "../blobs/write-failed.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { EMPTY_INDEX, readIndex } from "../layout/index-file.ts";
import { LAYOUT_MARKER } from "../layout/marker.ts";
import { keepPrivate, keepSecret } from "./private-directory.ts";
import { RECORD_KINDS } from "./records.ts";
import { stamp } from "./stamp.ts";

/** Present while a process has the cache open: what was used since is not pruned. */
export const SESSION_STEM = ".session";
const PRIVATE_STEM = "lambda-pack";
const WORK_STEM = ".work";

/** Where the cache of this process is. */
interface CacheFolder {
  readonly path: string;
  /** false: it is this process's own, and `close` removes it. */
  readonly isShared: boolean;
  /** Makes a directory for unfinished things, which `close` removes. */
  makeWorkDirectory(): Promise<string>;
  close(): Promise<void>;
}

/** The folder, ready for use; a private one where it cannot be written, with a warning. */
export async function openFolder(directory: string | undefined, onEvent?: OnEvent): Promise<CacheFolder> {
  if (directory === undefined) return openPrivate();
  try {
    return await openShared(directory);
  } catch (error) {
    onEvent?.({
      type: "warning",
      message: `the cache ${directory} cannot be used, so nothing is kept: ${wordsOf(error)}`,
      hint: "make it writable, or name another folder with --cache-dir or LAMBDA_PACK_CACHE_DIR",
    });
    return openPrivate();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function openShared(path: string): Promise<CacheFolder> {
  await refuseImages(path);
  keepPrivate(path, "oci-layout");
  makeFolders(path);
  const session = join(path, partialName(SESSION_STEM));
  closeSync(openSync(session, "wx", FILE_MODE.private));
  stamp(session);
  await sweepPartials(path, (stem) => [SESSION_STEM, BLOB_STEM, FILE_STEM, WORK_STEM].includes(stem));
  await keepLayout(path);
  const work = workDirectories(path);
  const close = async () => {
    await work.remove();
    await rm(session, { force: true });
  };
  return { path, isShared: true, makeWorkDirectory: work.make, close };
}

async function openPrivate(): Promise<CacheFolder> {
  const parent = tmpdir();
  const path = join(parent, partialName(PRIVATE_STEM));
  try {
    await mkdir(path, { mode: 0o700 }); // others may look into the system's temporary directory
    makeFolders(path);
    await sweepPartials(parent, (stem) => stem === PRIVATE_STEM);
  } catch (error) {
    throw writeFailed(path, error);
  }
  const close = () => rm(path, { recursive: true, force: true });
  return { path, isShared: false, makeWorkDirectory: workDirectories(path).make, close };
}

function workDirectories(root: string): { make(): Promise<string>; remove(): Promise<void> } {
  const made: string[] = [];
  return {
    async make() {
      const path = join(root, partialName(WORK_STEM));
      await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
        throw writeFailed(path, error);
      });
      made.push(path);
      return path;
    },
    async remove() {
      for (const path of made) await rm(path, { recursive: true, force: true });
    },
  };
}

function makeFolders(path: string): void {
  for (const name of ["blobs", join("blobs", "sha256"), ...RECORD_KINDS]) keepSecret(join(path, name));
}

/** The cache is an OCI layout without images: other tools can read its blobs (image-spec image-layout.md). */
async function keepLayout(path: string): Promise<void> {
  if (markerIn(path) === LAYOUT_MARKER) return;
  await replaceFile(join(path, "index.json"), EMPTY_INDEX, { access: "private" });
  await replaceFile(join(path, "oci-layout"), LAYOUT_MARKER, { access: "private" });
}

function markerIn(path: string): string | undefined {
  try {
    return readRegularFile(join(path, "oci-layout"), { maxBytes: 1024 }).toString("utf8");
  } catch {
    return undefined;
  }
}

/** Somebody's images are no cache: pruning would take them away. */
async function refuseImages(path: string): Promise<void> {
  if (isEmptyIndex(join(path, "index.json"))) return;
  const entries = await readIndex(path).catch(() => []);
  if (entries.length === 0) return;
  throw new LambdaPackError("LAYOUT_INVALID", `${path} is an OCI layout that holds images`);
}

/** As this program writes it, and nearly always is: not worth parsing. */
function isEmptyIndex(path: string): boolean {
  try {
    return readRegularFile(path, { maxBytes: EMPTY_INDEX.length }).toString("utf8") === EMPTY_INDEX;
  } catch {
    return false;
  }
}
