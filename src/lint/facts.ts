import { posix } from "node:path";
import type { BaseFacts } from "../lambda/bases.ts";
import { taskRootOf } from "../lambda/handler/language.ts";
import type { Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { IndexEntry } from "../oci/documents.ts";
import type { ImageConfig, Manifest } from "../oci/image.ts";
import type { Architecture } from "../oci/platform.ts";
import type { AllDuplicates } from "../rootfs/contents.ts";
import type { ScannedLayer } from "../rootfs/scan-image.ts";
import type { MergedView, ViewEntry } from "../rootfs/view/merged-view.ts";
import type { FileContents } from "./contents/file-contents.ts";

/** A layer as the manifest and the config describe it, and as a scan found it. */
export interface LayerFacts {
  readonly descriptor: Descriptor;
  /** undefined: the config has no diffID for it. */
  readonly diffId: Digest | undefined;
  /** undefined: it was not read. */
  readonly read?: ScannedLayer | undefined;
}

/** The files of the layers that were read. */
interface ImageFiles {
  readonly view: MergedView;
  readonly contents: FileContents;
  /** Whether every layer is in `view`. */
  readonly whole: boolean;
  /** Whether layers of installed dependencies were not read because the cache has them. */
  readonly lacksOwn?: boolean | undefined;
  /** The index of the lowest layer above the base's; 0 if it is not known. */
  readonly ownFrom: number;
  /** The app's own files with the same content. Absent if contents were not compared. */
  readonly duplicates?: AllDuplicates | undefined;
}

/**
 * The base of an image: the digest that was built on, and what the base's tag names now (the
 * digests of the image and of its index).
 */
export interface BaseNow {
  /** As the image names it: `public.ecr.aws/lambda/python:3.12`. */
  readonly name: string;
  readonly built: string;
  readonly now: readonly Digest[];
}

/** What rules check. Unknown facts are absent; rules that need them report nothing. */
export interface ImageFacts {
  /** The entries of the index, if the reference names an index. */
  readonly index?: readonly IndexEntry[] | undefined;
  /** Absent for a directory and for a Docker archive. */
  readonly manifest?: Manifest | undefined;
  readonly settings: ImageConfig;
  /** Why no manifest could be read. There are no layers then, and `brokenConfig` is set too. */
  readonly brokenImage?: string | undefined;
  /** Why the config could not be read; `settings` is then empty. */
  readonly brokenConfig?: string | undefined;
  readonly layers: readonly LayerFacts[];
  /** The least uncompressed size: a layer that was not read counts with its compressed size. */
  readonly bytes: number;
  readonly files: ImageFiles;
  /** The function's architecture, if the user gave one. */
  readonly architecture?: Architecture | undefined;
  /** Set if the base is in the table of AWS's bases. */
  readonly base?: BaseFacts | undefined;
  /** Set if the base's registry was queried. */
  readonly baseNow?: BaseNow | undefined;
  /** Whether the function will use SnapStart. */
  readonly snapstart: boolean;
  /** Files in the task root that are not reported as secrets. */
  readonly allowedSecrets?: readonly string[] | undefined;
  /** Whether the user gave `--cmd`: a handler that is not found is then a warning. */
  readonly isCmdUnchecked?: boolean | undefined;
  readonly today: Date;
}

/** What is known about a path in the image. */
export type Place =
  | { readonly known: false }
  | { readonly known: true; readonly entry: ViewEntry | undefined };

const UNKNOWN: Place = { known: false };
/** In bytes (limits.h): Linux finds nothing at a longer path. */
export const PATH_MAX = 4096;

/**
 * Looks up an absolute path and follows links. If the base's layers were not read, a table of files
 * in AWS's bases is used instead.
 */
export function lookUp(facts: ImageFacts, path: string): Place {
  const { view, whole } = facts.files;
  if (path.length > PATH_MAX) return { known: true, entry: undefined };
  const entry = view.resolve(path);
  if (entry) return { known: true, entry };
  if (whole) return { known: true, entry: undefined };
  const known = startsAsAws(facts) ? awsFile(path.replace(/^\/+|\/+$/g, ""), facts.base) : undefined;
  return known ? { known: true, entry: known } : UNKNOWN;
}

/** Returns whether AWS's entry point starts the function. */
export function startsAsAws({ settings }: ImageFacts): boolean {
  return settings.config?.Entrypoint?.[0]?.endsWith("/lambda-entrypoint.sh") === true;
}

/** Files in all AWS bases (aws-lambda-base-images) that rules look for. */
const AWS_PROGRAMS = [
  "lambda-entrypoint.sh",
  "bin/sh",
  "bin/bash",
  "usr/bin/env",
  "usr/bin/sh",
  "usr/bin/bash",
];
const AWS_DIRECTORIES = ["var", "var/task", "var/runtime", "opt", "tmp"];

/** The size stands for any that is not 0. */
function awsFile(path: string, base: BaseFacts | undefined): ViewEntry | undefined {
  const hasRuntime = base !== undefined && base.repository !== "provided" && base.repository !== "go";
  const entry = { path, mode: 0o755, size: 1, link: "", layer: 0 };
  if (AWS_DIRECTORIES.includes(path)) return { ...entry, kind: "directory" };
  if (AWS_PROGRAMS.includes(path) || (hasRuntime && path === "var/runtime/bootstrap"))
    return { ...entry, kind: "file" };
  return undefined;
}

/** Returns the directory of the function's code, without leading and trailing slashes. */
export function taskRoot({ settings }: Pick<ImageFacts, "settings">): string {
  return taskRootOf(settings.config).split("/").filter(Boolean).join("/");
}

/** Returns `app` for `var/task/app` in `var/task`; undefined for a path outside the directory. */
export function within(directory: string, path: string): string | undefined {
  if (directory === "") return path;
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}

/** Returns the directories of the app: the task root, /var/task and /opt. */
export function ownDirectories(facts: Pick<ImageFacts, "settings">): readonly string[] {
  return [taskRoot(facts), "var/task", "opt"];
}

/** Returns whether `path` is in one of the app's directories, or is one of them. */
export function isOwnPath(path: string, facts: Pick<ImageFacts, "settings">): boolean {
  return ownDirectories(facts).some(
    (directory) => path === directory || within(directory, path) !== undefined,
  );
}

const MAX_DIRECTORIES = 64;

/** Returns the absolute paths at which the image looks for a program: its own, or those in PATH. */
export function programPlaces(program: string, facts: Pick<ImageFacts, "settings">): readonly string[] {
  if (program.startsWith("/")) return [program];
  if (program.includes("/")) return [posix.normalize(`/${taskRoot(facts)}/${program}`)];
  const directories = (variables(facts).get("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(":");
  return directories.slice(0, MAX_DIRECTORIES).map((directory) => `${directory}/${program}`);
}

/** Returns the image's environment variables; the last value of a name counts. */
export function variables({ settings }: Pick<ImageFacts, "settings">): ReadonlyMap<string, string> {
  return new Map(
    (settings.config?.Env ?? []).map((line) => {
      const [name = "", ...value] = line.split("=");
      return [name, value.join("=")];
    }),
  );
}
