import { LambdaPackError } from "../../errors.ts";
import type { LintPlan } from "../../lint/lint-build.ts";
import type { Finding } from "../../lint/run-rules.ts";
import { refuseUnknown } from "../../lint/run-rules.ts";
import type { Digest } from "../../oci/digest.ts";
import { type Platform, platformOf } from "../../oci/platform.ts";
import { type ImageLocation, parseSource, pathKind } from "../../session/image-location.ts";
import type { SessionPlan } from "../../session/plan.ts";
import { BUILD_OPTIONS, type BuildOptions, pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type CommonOptions, readSessionOptions, SESSION_OPTIONS, TAG_OPTION } from "../options/common.ts";
import { type OptionTable, optional, required } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

/** Of an image, or of a directory as {@link BuildOptions} would build it. */
export interface CheckOptions
  extends CommonOptions,
    Partial<
      Pick<
        BuildOptions,
        | "base"
        | "file"
        | "stage"
        | "buildArgs"
        | "architecture"
        | "handler"
        | "env"
        | "labels"
        | "entrypoint"
        | "cmd"
        | "workdir"
        | "target"
        | "layers"
        | "exclude"
        | "ignoreFile"
        | "allowSecrets"
        | "allow"
        | "deep"
        | "snapstart"
        | "lockFile"
      >
    > {
  /**
   * An image (a registry reference, `oci:DIR[:tag]`, `oci-archive:FILE`, `docker-archive:FILE`), or
   * a directory, which needs `base`.
   */
  readonly source: string;
  /**
   * Whether the registry of the base is asked if its tag still names what the image was built on.
   * Default: for an image in a registry whose base is AWS's own or in the same registry. With true,
   * any registry that the image's label names, without credentials and only at public addresses
   * where the image's own registry has one. Never offline.
   */
  readonly askBase?: boolean;
}

export interface CheckResult {
  readonly source: string;
  /** Of the image; a directory has none yet. */
  readonly digest?: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** true: no finding is an error. */
  readonly ok: boolean;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** How many rules were asked. */
  readonly rules: number;
  /** How many layers the image has, and how many of them were read. */
  readonly layers: { readonly all: number; readonly read: number };
}

export interface CheckPlan {
  readonly session: SessionPlan;
  /** As the user wrote it. */
  readonly source: string;
  readonly target: { readonly kind: "directory"; readonly build: BuildPlan } | ImageToCheck;
  readonly lint: LintPlan;
  /** undefined: where the image is in a registry. */
  readonly askBase: boolean | undefined;
}

export interface ImageToCheck {
  readonly kind: "image";
  readonly location: ImageLocation;
  /** Which image of an index. undefined: its only one, else linux/amd64. */
  readonly platform: Platform | undefined;
}

const {
  base: _required,
  directory: _source,
  to: _to,
  format: _format,
  level: _level,
  reuseFrom: _reuseFrom,
  createRepo: _createRepo,
  install: _install,
  dryRun: _dryRun,
  check: _check,
  lock: _lock,
  updateBase: _updateBase,
  locked: _locked,
  ...SHARED
} = BUILD_OPTIONS;

export const CHECK_OPTIONS = {
  source: required<string>(text, "an image or a directory"),
  base: optional<string>(text, "for a directory: the base image that it would be built on"),
  ...SHARED,
  ...TAG_OPTION,
  ...SESSION_OPTIONS,
  askBase: optional<boolean>(
    toggle,
    "ask whether the tag of the base still names what the image was built on",
  ),
} satisfies OptionTable & Record<keyof CheckOptions, unknown>;

/** @throws USAGE, REFERENCE_INVALID, and for a directory what a build of it throws. */
export function parseCheckOptions(options: CheckOptions): CheckPlan {
  const { values, session } = readSessionOptions("check", CHECK_OPTIONS, options);
  const { source, base, architecture, allow, deep, snapstart, allowSecrets, askBase } = values;
  refuseUnknown(allow);
  const isCmdUnchecked = values.cmd !== undefined;
  const lint = { isEnabled: true, allow, deep, snapstart, architecture, allowSecrets, isCmdUnchecked };
  const kind = pathKind(source);
  if (kind === "directory") {
    if (base === undefined && values.file === undefined)
      throw new LambdaPackError("USAGE", `${source} is a directory, and --base is missing`, {
        hint: "say what the image will be built on, for example --base python:3.12",
      });
    const build = parseBuildOptions({ ...pickBuildOptions(options), directory: source, dryRun: true });
    return { session, source, target: { kind: "directory", build }, lint, askBase };
  }
  if (kind === "file")
    throw new LambdaPackError("USAGE", `${source} is a file, and its format is not given`, {
      hint: `write oci-archive:${source} or docker-archive:${source}`,
    });
  const location = parseSource(source, session.environment);
  const platform = architecture && platformOf(architecture);
  return { session, source, target: { kind: "image", location, platform }, lint, askBase };
}
