import type { BaseFacts } from "../lambda/bases.ts";
import { taskRootOf } from "../lambda/task-root.ts";
import type { Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { IndexEntry } from "../oci/documents.ts";
import type { ImageConfig, Manifest } from "../oci/image.ts";
import type { Architecture } from "../oci/platform.ts";
import type { AllDuplicates } from "../rootfs/duplicates.ts";
import type { ScannedLayer } from "../rootfs/scan-image.ts";
import type { MergedView, ViewEntry } from "../rootfs/view/merged-view.ts";
import type { FileContents } from "./contents/file-contents.ts";

/** A layer as manifest and config describe it, and as it was read. */
export interface LayerFacts {
  readonly descriptor: Descriptor;
  /** undefined: the config has none for it. */
  readonly diffId: Digest | undefined;
  /** undefined: it was not read. */
  readonly read?: ScannedLayer | undefined;
}

/** The image's files, as far as its layers were read. */
interface ImageFiles {
  readonly view: MergedView;
  readonly contents: FileContents;
  /** Whether every layer is in `view`. */
  readonly whole: boolean;
  /** Some of the app's own layers were not read: installed dependencies that the cache has. */
  readonly lacksOwn?: boolean | undefined;
  /** The lowest layer that is not the base's, as far as that is known; else 0. */
  readonly ownFrom: number;
  /** The app's own files with the same content. Absent if contents were not compared. */
  readonly twins?: AllDuplicates | undefined;
}

/**
 * A base whose digest the image names, and what its tag names now: the image, and the index that it
 * is in.
 */
export interface BaseNow {
  /** As the image names it: `public.ecr.aws/lambda/python:3.12`. */
  readonly name: string;
  readonly built: string;
  readonly now: readonly Digest[];
}

/**
 * Everything that rules check. What is not known is absent, and rules that need it report nothing.
 */
export interface ImageFacts {
  /** Set if the name means an index: its entries. */
  readonly index?: readonly IndexEntry[] | undefined;
  /** Absent for a directory and for a Docker archive. */
  readonly manifest?: Manifest | undefined;
  readonly settings: ImageConfig;
  /** Why no manifest could be read: then there are no layers, and `brokenConfig` is set too. */
  readonly brokenImage?: string | undefined;
  /** Why the config could not be read; `settings` is then empty. */
  readonly brokenConfig?: string | undefined;
  readonly layers: readonly LayerFacts[];
  /** Uncompressed, at least: a layer that was not read counts with its compressed size. */
  readonly bytes: number;
  readonly files: ImageFiles;
  /** As the user asked for. */
  readonly architecture?: Architecture | undefined;
  /** Set if the base is in the table of AWS's bases. */
  readonly base?: BaseFacts | undefined;
  /** Set if the registry of the base was asked. */
  readonly baseNow?: BaseNow | undefined;
  /** Whether the function is to use SnapStart. */
  readonly snapstart: boolean;
  /** Files in the task root that may look like secrets: they are not reported. */
  readonly allowedSecrets?: readonly string[] | undefined;
  /** The user gave CMD and wants it as it is. */
  readonly isCmdUnchecked?: boolean | undefined;
  readonly today: Date;
}

/** What is known of a place in the image. */
export type Place =
  | { readonly known: false }
  | { readonly known: true; readonly entry: ViewEntry | undefined };

const UNKNOWN: Place = { known: false };
/** In bytes (limits.h): Linux finds nothing at a longer path. */
export const PATH_MAX = 4096;

/**
 * Looks up an absolute path, behind links. If the base's layers were not read, a table says what
 * AWS's bases have.
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

/** Whether AWS's entry point starts the function. */
export function startsAsAws({ settings }: ImageFacts): boolean {
  return settings.config?.Entrypoint?.[0]?.endsWith("/lambda-entrypoint.sh") === true;
}

/** Files that all AWS bases have (aws-lambda-base-images), as far as rules look for them. */
const AWS_PROGRAMS = [
  "lambda-entrypoint.sh",
  "bin/sh",
  "bin/bash",
  "usr/bin/env",
  "usr/bin/sh",
  "usr/bin/bash",
];
const AWS_DIRECTORIES = ["var", "var/task", "var/runtime", "opt", "tmp"];

function awsFile(path: string, base: BaseFacts | undefined): ViewEntry | undefined {
  const hasRuntime = base !== undefined && base.repository !== "provided" && base.repository !== "go";
  const entry = { path, mode: 0o755, size: 0, link: "", layer: 0 };
  if (AWS_DIRECTORIES.includes(path)) return { ...entry, kind: "directory" };
  if (AWS_PROGRAMS.includes(path) || (hasRuntime && path === "var/runtime/bootstrap"))
    return { ...entry, kind: "file" };
  return undefined;
}

/** The directory of the function's code, without slashes at its ends: WORKDIR, else AWS's. */
export function taskRoot({ settings }: Pick<ImageFacts, "settings">): string {
  return taskRootOf(settings.config).split("/").filter(Boolean).join("/");
}

/** `app` for `var/task/app` in `var/task`; undefined for what is elsewhere. */
export function within(directory: string, path: string): string | undefined {
  if (directory === "") return path;
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}

/** Where apps are: the task root and /opt. */
export function ownDirectories(facts: Pick<ImageFacts, "settings">): readonly string[] {
  return [taskRoot(facts), "var/task", "opt"].filter((directory) => directory !== "");
}

/** Whether `path` is in one of the app's directories, or is one of them. */
export function isOwnPath(path: string, facts: Pick<ImageFacts, "settings">): boolean {
  return ownDirectories(facts).some(
    (directory) => path === directory || within(directory, path) !== undefined,
  );
}

/** The directories of PATH; without one, those that Lambda's shells use. */
export function searchPath(facts: ImageFacts): readonly string[] {
  return (variables(facts).get("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
    .split(":")
    .slice(0, MOST_DIRECTORIES);
}

const MOST_DIRECTORIES = 64;

/** The image's variables, the last of a name. */
export function variables({ settings }: ImageFacts): ReadonlyMap<string, string> {
  return new Map(
    (settings.config?.Env ?? []).map((line) => {
      const equals = line.indexOf("=");
      return equals < 0 ? [line, ""] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}
