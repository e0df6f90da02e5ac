import type { Base } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { LambdaPackError } from "../../../errors.ts";
import { type Collection, collect } from "../../../layer/collect.ts";
import type { Session } from "../../../session/session.ts";
import { parentOf } from "../../../tar/entry.ts";
import { BASE_MODES } from "../collect.ts";
import type { DirectoryPlan } from "./plan.ts";

/** Files in addition to those of the source directory, in a separate layer. */
export interface Part {
  /** The name of the layer. */
  readonly name: string;
  readonly files: Collection;
}

/** The build that the parts belong to. */
export interface PartContext {
  /** The pulled base. */
  readonly base: Base;
  readonly lock: LockPlan;
  /** The absolute path of the application in the image. */
  readonly taskRoot: string;
  /** Absolute paths of files that this command writes, which are never packed. */
  readonly output: readonly string[];
  readonly session: Session;
}

/** Emits the event that the files of a part were found. */
export function emitFiles(
  directory: string,
  { count, bytes, leftOut = [] }: Collection,
  { emit }: Session,
): void {
  emit({ type: "files-collected", directory, files: count, bytes, leftOut });
}

export function refusePart(message: string, hint: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("COMPOSITION_REFUSED", message, { hint, cause });
}

/** Collects another directory by the rules of its own ignore file. @throws what `collect` throws */
export async function addDirectory(
  { directory, target }: DirectoryPlan,
  context: PartContext,
): Promise<Part> {
  const { output, session } = context;
  const { signal } = session;
  const files = await collect({ directory, target, output, directoryModes: BASE_MODES, signal });
  for (const warning of files.warnings) session.emit({ type: "warning", ...warning });
  emitFiles(directory, files, session);
  return { name: `add ${target}`, files };
}

const PROGRAMS = "opt/extensions";

/**
 * Collects the directory of an extension for /opt. Its programs become executable, because a
 * checkout or zip made on Windows lacks the permission.
 * @throws COMPOSITION_REFUSED if it has no program, and what `collect` throws
 */
export async function addExtension(directory: string, context: PartContext): Promise<Part> {
  const { files } = await addDirectory({ directory, target: "/opt" }, context);
  const programs = files.files.filter(({ entry }) => isProgram(entry.path, entry.kind));
  const [first] = programs;
  if (!first)
    throw refusePart(
      `--extension ${directory}: no file is left in its directory extensions`,
      "put the extension's program there, and see what the ignore file leaves out",
    );
  const executable = files.files.map((file) =>
    file.entry.kind === "file" && programs.includes(file)
      ? { ...file, entry: { ...file.entry, mode: 0o755 } }
      : file,
  );
  const name = first.entry.path.slice(PROGRAMS.length + 1);
  return { name: `extension ${name}`, files: { ...files, files: executable } };
}

function isProgram(path: string, kind: string): boolean {
  return kind !== "directory" && parentOf(path) === PROGRAMS;
}
