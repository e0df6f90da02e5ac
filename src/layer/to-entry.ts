import { readlinkSync } from "node:fs";
import { readStart } from "../blobs/regular-file.ts";
import { LambdaPackError } from "../errors.ts";
import { type DirectoryModes, directoryEntry, type Entry } from "../tar/entry.ts";
import { fileChanged } from "./encode/source.ts";
import { parseLinkTarget } from "./names.ts";
import type { Found } from "./walk.ts";

interface Placement {
  /** The path in the image. */
  readonly path: string;
  readonly modes: DirectoryModes;
  readonly platform: NodeJS.Platform;
}

/**
 * Returns the entry for an item of the source directory.
 * @throws FILE_KIND for sockets, FIFOs and devices, which are not opened; FILE_NAME,
 * FILE_UNREADABLE, FILE_CHANGED.
 */
export function toEntry(found: Found, { path, modes, platform }: Placement): Entry {
  const { source, stats } = found;
  if (stats.isDirectory()) return directoryEntry(path, modes);
  if (stats.isSymbolicLink()) return { kind: "symlink", path, target: linkTarget(found, platform) };
  if (!stats.isFile()) throw wrongKind(found);
  const mode = isExecutable(found, platform) ? 0o755 : 0o644;
  const { dev: device, ino: inode, mtimeMs, ctimeMs } = stats;
  const version = { device, inode, mtimeMs, ctimeMs };
  return { kind: "file", path, mode, size: stats.size, source, version };
}

function linkTarget({ path, source, opened }: Found, platform: NodeJS.Platform): string {
  let bytes: Buffer;
  try {
    bytes = Buffer.from(readlinkSync(opened, "buffer")); // Deno returns a string
  } catch {
    throw fileChanged(source, "it is no longer a link");
  }
  const target = parseLinkTarget(bytes, path);
  return platform === "win32" ? target.replaceAll("\\", "/") : target;
}

/** Windows has no such bit: files that begin with `#!` or ELF's magic number are executable. */
function isExecutable({ opened, stats }: Found, platform: NodeJS.Platform): boolean {
  if (platform !== "win32") return (stats.mode & 0o100) !== 0;
  const start = readStart(opened, 4).toString("latin1");
  return start.startsWith("#!") || start === "\u007fELF";
}

function wrongKind({ source, stats }: Found): LambdaPackError {
  const kind = stats.isSocket() ? "socket" : stats.isFIFO() ? "FIFO" : "device";
  return new LambdaPackError("FILE_KIND", `${source} is a ${kind}, which an image cannot hold`, {
    hint: "delete it, or name it in the ignore file",
  });
}

/** Something the user should know and that is not an error; the fields of a `warning` event. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}
