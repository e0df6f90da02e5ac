import { posix } from "node:path";
import type { StageFiles } from "../../dockerfile/stage-files.ts";
import { collectedApp } from "../../lambda/handler/collected-app.ts";
import { taskRootOf } from "../../lambda/handler/language.ts";
import { type Collection, collect, type SourceFile } from "../../layer/collect.ts";
import { findDistributions } from "../../layer/packages.ts";
import { developmentPackages, isInPackage, NPM_RECORDS } from "../../lint/dependencies/node.ts";
import type { Image } from "../../oci/image.ts";
import type { Session } from "../../session/session.ts";
import type { Entry } from "../../tar/entry.ts";
import { placeBehindLinks } from "./base/base-links.ts";

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

/** Returns files that are not from the source directory as if they had been collected from one. */
export function collectionOf(
  entries: readonly Entry[],
  distributions: Collection["distributions"] = [],
): Collection {
  return {
    files: entries.map((entry) => ({ path: entry.path, entry })),
    count: entries.filter(({ kind }) => kind !== "directory").length,
    bytes: entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0),
    warnings: [],
    distributions,
    directoryModes: BASE_MODES,
  };
}

/** Finds the installed Python packages among files. */
export function distributionsIn(entries: readonly Entry[]): Collection["distributions"] {
  return findDistributions(entries.map((entry) => ({ path: entry.path, entry })));
}

/** Returns the files of a stage as a collection to pack, with their paths in the image. */
export function stageCollection(stage: StageFiles): Collection {
  const entries = stage.entries(BASE_MODES);
  return { ...collectionOf(entries, distributionsIn(entries)), installed: stage.installedPaths() };
}

/**
 * Leaves out the packages that npm marks as needed for development only, and the links to their
 * programs.
 */
async function omitDevelopment(collection: Collection, { emit }: Pick<Session, "emit">): Promise<Collection> {
  const app = collectedApp(collection);
  const records = app.names.has(NPM_RECORDS) ? await app.read(NPM_RECORDS) : undefined;
  if (records === undefined) {
    emit({
      type: "warning",
      message: `--omit-dev has no effect: ${NPM_RECORDS}, which npm writes, is not there`,
      hint: "install without development packages: npm ci --omit=dev, pnpm install --prod, yarn install --production",
    });
    return collection;
  }
  const packages = developmentPackages(records);
  const files = collection.files.filter((file) => !isInPackage(placeOf(file), packages));
  const left = files.filter(({ entry }) => entry.kind !== "directory");
  const bytes = files.reduce((sum, { entry }) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  return { ...collection, files, count: left.length, bytes };
}

/** Returns the path that decides: for a link, its target. */
function placeOf({ path, entry }: SourceFile): string {
  return entry.kind === "symlink" ? posix.join(posix.dirname(path), entry.target) : path;
}
