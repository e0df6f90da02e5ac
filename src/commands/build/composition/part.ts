import type { Base } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { LambdaPackError } from "../../../errors.ts";
import type { Collection } from "../../../layer/collect.ts";
import type { Session } from "../../../session/session.ts";

/** Files beside those of the source directory, which become a layer of their own. */
export interface Part {
  /** The name of the layer. */
  readonly name: string;
  readonly files: Collection;
}

/** The build that the parts belong to. */
export interface PartContext {
  /** Pulled. */
  readonly base: Base;
  readonly lock: LockPlan;
  /** The absolute path in the image where the application is. */
  readonly taskRoot: string;
  /** Absolute paths that this program writes: they are never packed. */
  readonly output: readonly string[];
  readonly session: Session;
}

/** Tells that the files of a part were found. */
export function tellFiles(
  directory: string,
  { count, bytes, leftOut = [] }: Collection,
  { emit }: Session,
): void {
  emit({ type: "files-collected", directory, files: count, bytes, leftOut });
}

export function refusePart(message: string, hint: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("COMPOSITION_REFUSED", message, { hint, cause });
}
