import { INSTALL_HOWS, type InstallHow } from "../../dependencies/ways.ts";
import type { Family } from "../../oci/media-types.ts";
import type { Architecture } from "../../oci/platform.ts";
import { ARCHITECTURE_OPTION, type CommonOptions, SESSION_OPTIONS, TAG_OPTION } from "../options/common.ts";
import { type OptionTable, optional, required, withDefault } from "../options/read.ts";
import {
  choice,
  listOf,
  namedGlob,
  text,
  textOrList,
  textRecord,
  toggle,
  wholeNumber,
  wordOrToggle,
  words,
} from "../options/types.ts";

export interface LayerRule {
  /** The layer's name in history and reports. */
  readonly name: string;
  /** Files of the source directory, in .dockerignore syntax. */
  readonly glob: string;
}

export interface BuildOptions extends CommonOptions {
  /** The source directory. */
  readonly directory: string;
  /**
   * `python:3.12` ..., an image reference, `oci:DIR[:tag]`, `oci-archive:FILE`,
   * `docker-archive:FILE` or `scratch`. Required, unless a Dockerfile names it.
   */
  readonly base?: string;
  /** A Dockerfile that needs no shell (docs/dockerfile.md); `directory` is its build context. */
  readonly file?: string;
  /** The stage of the Dockerfile that becomes the image. Default: the last one. */
  readonly stage?: string;
  /** Values of ARG in the Dockerfile. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Default: the base's when it has only one, else x86_64. */
  readonly architecture?: Architecture;
  /** `app.handler`; becomes CMD. Default: found from the usual names. */
  readonly handler?: string;
  /** Destinations. Default: `oci:.lambda-pack/<name of the directory>`. */
  readonly to?: string | readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workdir?: string;
  /** The directory of the image where the files go. Default: the base's WORKDIR, else /var/task. */
  readonly target?: string;
  /**
   * Layers with names of your own, in order. The first rule that matches takes the file; the other
   * files are split as they are without rules.
   */
  readonly layers?: readonly LayerRule[];
  /** Patterns in .dockerignore syntax, after those of the ignore file. */
  readonly exclude?: readonly string[];
  /** Default: `.lambdaignore` of the source directory, else its `.dockerignore`. */
  readonly ignoreFile?: string;
  /** Files of the source directory that look like secrets and may be in the image. */
  readonly allowSecrets?: readonly string[];
  /** Media types of the image. Default `auto`: those of the base. */
  readonly format?: "auto" | Family;
  /**
   * How the dependencies of the directory's lock file are installed for the target, into layers of their own: `auto` or true by
   * the lock file that is there, one way by its word (docs/dependencies.md), or `none` or false. Default `none`.
   */
  readonly install?: InstallHow | boolean;
  /** Deflate level, 1 to 9. Default 4. */
  readonly level?: number;
  /**
   * The image whose layers are reused where they would come out the same, as {@link
   * BuildOptions.base}. Default: the one with the same tag at the destination, else the newest
   * there.
   */
  readonly reuseFrom?: string;
  /** true: an ECR repository that is missing is created before the image is sent. Default false. */
  readonly createRepo?: boolean;
  /** true: everything but sending. Default false. */
  readonly dryRun?: boolean;
  /** false: the image is sent even where a rule finds an error. Default true. */
  readonly check?: boolean;
  /** Rules (docs/check.md) that the image may break. */
  readonly allow?: readonly string[];
  /** true: the rules also read the base's layers. Default false: AWS's bases are known. */
  readonly deep?: boolean;
  /**
   * true: the function uses SnapStart; the image gets the label where its base needs one. Default
   * false.
   */
  readonly snapstart?: boolean;
  /**
   * The base lock, which is obeyed while it exists. Default: `lambda-pack.lock` in the source
   * directory.
   */
  readonly lockFile?: string;
  /** true: the base is added to the lock where it is missing. Default false. */
  readonly lock?: boolean;
  /** true: the base is what its tag names now, and the lock is updated. Default false. */
  readonly updateBase?: boolean;
  /**
   * true: the build stops where the lock does not name the base, or another one than its tag.
   * Default false.
   */
  readonly locked?: boolean;
}

export const BUILD_OPTIONS = {
  directory: required<string>(text, "the source directory"),
  base: optional<string>(text, "the base image"),
  file: optional<string>(text, "a Dockerfile that needs no shell"),
  stage: optional<string>(text, "the stage of the Dockerfile that becomes the image"),
  buildArgs: withDefault<Readonly<Record<string, string>>>(textRecord, {}, "values of ARG in the Dockerfile"),
  ...ARCHITECTURE_OPTION,
  handler: optional<string>(text, "what Lambda calls; becomes CMD"),
  to: optional<readonly string[]>(textOrList, "where the image goes"),
  ...TAG_OPTION,
  env: withDefault<Readonly<Record<string, string>>>(textRecord, {}, "environment variables of the image"),
  labels: withDefault<Readonly<Record<string, string>>>(textRecord, {}, "labels of the image"),
  entrypoint: optional<readonly string[]>(words, "ENTRYPOINT of the image"),
  cmd: optional<readonly string[]>(words, "CMD of the image"),
  workdir: optional<string>(text, "the working directory"),
  target: optional<string>(text, "the directory of the image where the files go"),
  layers: withDefault<readonly LayerRule[]>(
    listOf(namedGlob),
    [],
    "layers with names of your own; the first that matches takes the file",
  ),
  exclude: withDefault<readonly string[]>(listOf(text), [], "files to leave out, in .dockerignore syntax"),
  ignoreFile: optional<string>(text, "a file with patterns of files to leave out"),
  allowSecrets: withDefault<readonly string[]>(
    listOf(text),
    [],
    "files that look like secrets and may be in the image",
  ),
  format: withDefault<"auto" | Family>(
    choice<"auto" | Family>(["auto", "docker", "oci"]),
    "auto",
    "media types of the image; auto: those of the base",
  ),
  install: withDefault<InstallHow>(
    wordOrToggle<InstallHow>(INSTALL_HOWS, { true: "auto", false: "none" }),
    "none",
    "install what the lock file names, for the target; auto: by the lock file that is there",
  ),
  level: withDefault(wholeNumber(1, 9), 4, "deflate level: time against bytes"),
  reuseFrom: optional<string>(text, "the earlier image whose layers are reused"),
  createRepo: withDefault(toggle, false, "create an ECR repository that is missing"),
  dryRun: withDefault(toggle, false, "everything but sending"),
  check: withDefault(toggle, true, "whether an error that a rule finds stops the build"),
  allow: withDefault<readonly string[]>(listOf(text), [], "rules that the image may break"),
  deep: withDefault(toggle, false, "have the rules read the base's layers too"),
  snapstart: withDefault(toggle, false, "the function uses SnapStart"),
  lockFile: optional<string>(text, "where the base lock is"),
  lock: withDefault(toggle, false, "add the base to the lock"),
  updateBase: withDefault(toggle, false, "take what the base's tag names now, and update the lock"),
  locked: withDefault(toggle, false, "stop where the base is not what the lock says"),
  ...SESSION_OPTIONS,
} satisfies OptionTable & Record<keyof BuildOptions, unknown>;

/** The options of a build among those of a command that builds as one of its steps. */
export function pickBuildOptions<T extends object>(options: T): Pick<T, keyof T & keyof BuildOptions> {
  const picked = Object.entries(options).filter(([name]) => Object.hasOwn(BUILD_OPTIONS, name));
  // Exactly the entries whose names are options of a build.
  return Object.fromEntries(picked) as Pick<T, keyof T & keyof BuildOptions>;
}
