import { taskRootOf } from "../../lambda/handler/language.ts";
import { type Collection, collect } from "../../layer/collect.ts";
import type { Image } from "../../oci/image.ts";
import type { Session } from "../../session/session.ts";
import { placeBehindLinks } from "./base/base-links.ts";
import { omitDevelopment } from "./omit-development.ts";

/** The rules for which files go into the image, and to which path. */
export interface SourcePlan {
  readonly directory: string;
  /** The directory's name in events, if `directory` is a temporary one. */
  readonly origin?: string | undefined;
  /** Patterns in .dockerignore syntax, after those of the ignore file. */
  readonly exclude: readonly string[];
  /** undefined: `.lambdaignore` of the directory, else its `.dockerignore`. */
  readonly ignoreFile: string | undefined;
  /** Whether packages that only development needs are left out. */
  readonly omitDev: boolean;
  /** Absolute path in the image. undefined: the base's WORKDIR, else /var/task. */
  readonly target: string | undefined;
  /** Options that start the function. Directories that they name are not excluded by default. */
  readonly inUse: readonly string[];
  /** Whether packages will be installed. */
  readonly installs: boolean;
  /** Absolute paths of files that this command writes, which are never packed. */
  readonly output: readonly string[];
}

/** Directories of every base with special modes; an entry in a layer must not change them. */
export const BASE_MODES = new Map([
  ["tmp", 0o1777],
  ["var/tmp", 0o1777],
]);

/** Returns the absolute path of the application in the image. */
export function targetOf({ target }: SourcePlan, base: Image): string {
  return target ?? taskRootOf(base.settings.config);
}

/**
 * Collects the files of the source directory that the ignore rules keep.
 * @throws what `collect` throws
 */
export async function collectFiles(plan: SourcePlan, base: Image, session: Session): Promise<Collection> {
  const { directory, origin = directory } = plan;
  const { signal } = session;
  const { Env = [], Entrypoint = [], Cmd = [] } = base.settings.config ?? {};
  const files = await session.times.measure("collect", async () => {
    const found = await collect({
      ...plan,
      target: targetOf(plan, base),
      inUse: [...plan.inUse, ...Env, ...Entrypoint, ...Cmd],
      directoryModes: BASE_MODES,
      signal,
    });
    const kept = plan.omitDev ? await omitDevelopment(found, session) : found;
    return placeBehindLinks(kept, base, signal);
  });
  for (const warning of files.warnings) session.emit({ type: "warning", ...warning });
  session.emit({
    type: "files-collected",
    directory: origin,
    files: files.count,
    bytes: files.bytes,
    leftOut: files.leftOut ?? [],
  });
  return files;
}
