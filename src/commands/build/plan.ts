import { basename, join, resolve } from "node:path";
import { parseEcrHost, type RepositoryName } from "../../aws/ecr/names.ts";
import { type BasePlan, parseBase } from "../../base/base.ts";
import { lockPath } from "../../base/lock.ts";
import { guardPath } from "../../base/lock-file.ts";
import { type InstallPlan, parseInstall } from "../../dependencies/plan.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { DetectedBase } from "../../lambda/detect-base.ts";
import { cleanPattern, compileIgnore, readIgnoreFile } from "../../layer/ignore/ignore.ts";
import { openRoot, parseTarget } from "../../layer/source-root.ts";
import type { LintPlan } from "../../lint/lint-build.ts";
import { refuseUnknown } from "../../lint/run-rules.ts";
import { platformOf } from "../../oci/platform.ts";
import {
  parseImageLocation,
  parseTargets,
  refuseRegistries,
  type Target,
} from "../../session/image-location.ts";
import type { Environment, SessionPlan } from "../../session/session.ts";
import { readSessionOptions } from "../options/common.ts";
import { type Run, runOf } from "../options/no-effect.ts";
import { dashed, type Values } from "../options/read.ts";
import { mergeVariables } from "../options/records.ts";
import { detectBases } from "./base/detected-base.ts";
import type { SourcePlan } from "./collect.ts";
import type { CommandPlan } from "./command.ts";
import type { ImagePlan } from "./compose.ts";
import { type CompositionPlan, parseComposition, placesOf } from "./composition/plan.ts";
import { type DockerfileSource, readDockerfile } from "./dockerfile/source.ts";
import type { LayerPlan } from "./layers/built-layer.ts";
import type { ReusePlan } from "./layers/previous.ts";
import { BUILD_OPTIONS, type BuildOptions } from "./options.ts";

/** The plan of a build, decided before any request. Each step gets its own part. */
export interface BuildPlan {
  readonly session: SessionPlan;
  readonly source: SourcePlan;
  /** undefined: the files of the source directory are packed as they are. */
  readonly dockerfile: DockerfileSource | undefined;
  readonly base: BasePlan;
  /** The bases that fit the directory, if none was named; `base` has the first of them. */
  readonly detected: readonly DetectedBase[];
  readonly command: CommandPlan;
  readonly layers: LayerPlan;
  readonly reuse: ReusePlan;
  /** Files that may look like secrets, relative to the source directory. */
  readonly allowSecrets: readonly string[];
  readonly install: InstallPlan;
  readonly composition: CompositionPlan;
  /** Whether esbuild bundles the handler, so that only the bundle is packed. */
  readonly bundle: boolean;
  readonly lint: LintPlan;
  readonly image: ImagePlan;
  readonly destinations: readonly Target[];
  /** The repositories to create before the push. */
  readonly repositories: readonly RepositoryName[];
  readonly dryRun: boolean;
  /** The options that the caller gave. */
  readonly given: object;
  /** The facts that decide which options have no effect. */
  readonly run: Run;
}

type BuildValues = Values<typeof BUILD_OPTIONS>;

/**
 * Parses the options and checks everything that is known from them and the source directory.
 * @throws USAGE, REFERENCE_INVALID, DIRECTORY_UNREADABLE, FILE_UNREADABLE, IGNORE_PATTERN,
 * SOURCE_DATE_EPOCH_INVALID
 */
export function parseBuildOptions(options: BuildOptions): BuildPlan {
  const { values, session } = readSessionOptions("build", BUILD_OPTIONS, options);
  const {
    directory,
    arch: architecture,
    allow,
    allowSecret: allowSecrets,
    snapstart,
    deep,
    handler,
    cmd,
  } = values;
  const { entrypoint, createRepo, dryRun } = values;
  openRoot(directory);
  checkPatterns(values);
  const dockerfile = dockerfileOf(values, options);
  const reuse = reusePlan(values);
  refuseUnknown(allow);
  const destinations = parseTargets(values.to ?? defaultDestination(directory), values.tag);
  if (values.offline && !dryRun) refuseRegistries(destinations);
  const created = creationTime(session.environment);
  const platform = dockerfile?.architecture ?? architecture;
  const named = dockerfile?.base ?? values.base;
  const detected = named === undefined ? detectBases(directory, values.bundle) : [];
  const env = mergeVariables(values.env, values.envFile);
  const family = values.format === "auto" ? undefined : values.format;
  const source = parseBase(named ?? detected[0]?.base ?? "scratch", session.environment);
  const composition = parseComposition(values, session.environment);
  return {
    session,
    source: sourcePlan({ ...values, env }, session, destinations),
    dockerfile,
    base: {
      source,
      platform: platform && platformOf(platform),
      family,
      lock: { path: lockPath(directory, values.lockFile), mode: lockMode(values) },
      isSupportAllowed: allow.includes("base-support"),
    },
    detected,
    command: { cmd, handler, entrypoint, hasOwnTarget: values.target !== undefined, hasImageOptions: true },
    layers: { rules: values.layer, level: values.level, created },
    reuse,
    allowSecrets,
    install: parseInstall(values.install, directory, { extras: values.extra, groups: values.group }),
    bundle: values.bundle,
    lint: {
      ...{ isEnabled: values.check, allow, deep, snapstart, architecture, allowSecrets },
      isCmdUnchecked: cmd !== undefined,
    },
    image: {
      ...{ family, created, entrypoint, snapstart },
      ...{ workingDir: values.workdir, env, labels: values.label },
    },
    ...{ destinations, composition },
    repositories: createRepo ? repositoriesIn(destinations, session.environment) : [],
    dryRun,
    given: options,
    run: runOf(values, source, [reuse.from, ...placesOf(destinations, composition)]),
  };
}

/** Reads the Dockerfile. @throws USAGE for options that it decides, and for those that need one */
function dockerfileOf(values: BuildValues, options: BuildOptions): DockerfileSource | undefined {
  const { file, stage, buildArg: buildArgs, arch: architecture } = values;
  if (file !== undefined) {
    // Only options are refused: LAMBDA_PACK_BASE may be meant for other builds.
    const decided = (["base", "target", "omitDev", "bundle"] as const).find((name) => options[name]);
    if (decided)
      throw contradiction(
        decided,
        "the Dockerfile decides it",
        `leave out --${dashed(decided)}, or build without --file`,
      );
    if (values.install !== "none")
      throw contradiction("install", "the Dockerfile says what is in the image", "build without --file");
    return readDockerfile({ ...values, file, buildArgs, architecture });
  }
  const unused = stage !== undefined ? "stage" : Object.keys(buildArgs).length > 0 ? "buildArg" : undefined;
  if (unused) throw contradiction(unused, "there is no Dockerfile", "name the Dockerfile with --file");
  return undefined;
}

/** @throws USAGE without a cache */
function reusePlan({ reuseFrom, cache: isEnabled }: BuildValues): ReusePlan {
  if (reuseFrom === undefined) return { from: undefined, isEnabled };
  if (isEnabled) return { from: parseImageLocation(reuseFrom), isEnabled };
  throw contradiction("reuseFrom", "the cache is off", "leave out one of the two");
}

function contradiction(name: string, why: string, hint: string): LambdaPackError {
  return misuse(`--${dashed(name)} has no effect: ${why}`, hint);
}

function checkPatterns({ directory, ignoreFile, exclude, layer: layers }: BuildValues): void {
  const { lines } = readIgnoreFile(directory, ignoreFile);
  const excluded = exclude.map((line) => ({ pattern: cleanPattern(line), where: "--exclude" }));
  const cut = layers.map(({ name, glob }) => ({ pattern: cleanPattern(glob), where: `--layer ${name}` }));
  compileIgnore([...lines, ...excluded, ...cut]);
}

function defaultDestination(directory: string): string {
  return `oci:${join(".lambda-pack", basename(resolve(directory)) || "app")}`;
}

function sourcePlan(
  values: BuildValues,
  { cacheDirectory }: SessionPlan,
  destinations: readonly Target[],
): SourcePlan {
  const { directory, exclude, ignoreFile, omitDev, ownFiles, target, lockFile } = values;
  const { handler = "", cmd = [], entrypoint = [], env } = values;
  if (target !== undefined) parseTarget(target);
  const written = destinations.flatMap(({ location }) =>
    location.kind === "registry" ? [] : [location.path],
  );
  const lock = lockPath(directory, lockFile);
  const own = [...written, lock, guardPath(lock)];
  const cache = cacheDirectory === undefined ? [] : [cacheDirectory];
  return {
    ...{ directory, exclude, ignoreFile, omitDev, target, installs: false },
    inUse: [handler, ...cmd, ...entrypoint, ...Object.values(env)],
    output: [...own, ...cache, ...ownFiles].map((path) => resolve(path)),
  };
}

/** Returns the ECR repositories among the destinations. @throws USAGE if there is none */
function repositoriesIn(
  destinations: readonly Target[],
  environment: Environment,
): readonly RepositoryName[] {
  const repositories = destinations.flatMap(({ location }) => {
    if (location.kind !== "registry") return [];
    const host = parseEcrHost(location.reference.registry, environment);
    return host ? [{ ...host, name: location.reference.repository }] : [];
  });
  if (repositories.length > 0) return repositories;
  throw contradiction(
    "createRepo",
    "no destination is in a private ECR registry",
    "leave it out, or name a destination such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app",
  );
}

/** Returns the mode of the base lock. @throws USAGE for options that contradict each other */
function lockMode({ lock, updateBase, locked }: BuildValues): BasePlan["lock"]["mode"] {
  if (locked && updateBase)
    throw misuse(
      "locked and updateBase exclude each other",
      "locked stops where the base has changed; updateBase takes what its tag names now",
    );
  if (locked) return "require";
  if (updateBase) return "update";
  return lock ? "write" : "obey";
}

/** 9999-12-31T23:59:59Z, the last time that RFC 3339, which the config uses, can express. */
const LAST_SECOND = 253_402_300_799;

/**
 * Returns the time of everything that a build adds: SOURCE_DATE_EPOCH in whole seconds
 * (reproducible-builds.org), else 1980-01-02. A zip file cannot hold a time before 1980-01-01, and
 * one more day makes this true in every time zone.
 * @throws SOURCE_DATE_EPOCH_INVALID
 */
function creationTime(environment: Environment): Date {
  const text = environment["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return new Date("1980-01-02T00:00:00Z");
  if (/^\d{1,12}$/.test(text) && Number(text) <= LAST_SECOND) return new Date(Number(text) * 1000);
  throw new LambdaPackError(
    "SOURCE_DATE_EPOCH_INVALID",
    `SOURCE_DATE_EPOCH is ${JSON.stringify(text.slice(0, 40))}, not a number of seconds since 1970`,
    { hint: "set it, for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or unset it" },
  );
}
