import type { Base } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { LambdaPackError } from "../../../errors.ts";
import type { Collection } from "../../../layer/collect.ts";
import type { Session } from "../../../session/session.ts";

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
