import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readConfigurationFile } from "../../../blobs/regular-file.ts";
import { refuse } from "../../../dockerfile/instructions.ts";
import { neededStages, planDockerfile } from "../../../dockerfile/plan.ts";
import { type Dockerfile, readStages, type Stage } from "../../../dockerfile/stages.ts";
import { LambdaPackError, misuse } from "../../../errors.ts";
import {
  cleanPattern,
  compileIgnore,
  type IgnoreLine,
  parseIgnoreFile,
} from "../../../layer/ignore/ignore.ts";
import { type Architecture, formatPlatform, platformOf } from "../../../oci/platform.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import { ARCHITECTURE } from "../../options/common.ts";

interface DockerfileOptions {
  /** The build context. */
  readonly directory: string;
  readonly file: string;
  /** The stage that becomes the image; undefined: the last one. */
  readonly stage: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** undefined: the platform of FROM, else the base's. */
  readonly architecture: Architecture | undefined;
  readonly exclude: readonly string[];
  /** undefined: chosen as BuildKit does. */
  readonly ignoreFile: string | undefined;
}

/** A parsed Dockerfile without instructions that are refused for every base. */
export interface DockerfileSource {
  readonly dockerfile: Dockerfile;
  readonly stage: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly ignore: readonly IgnoreLine[];
  /** The image of the final FROM, in the form of `--base`. */
  readonly base: string;
  /** undefined: the base's. */
  readonly architecture: Architecture | undefined;
}

/**
 * Reads the Dockerfile and its ignore file, and refuses instructions that no base makes possible.
 * @throws DOCKERFILE_REFUSED, FILE_UNREADABLE, IGNORE_PATTERN, USAGE
 */
export function readDockerfile(options: DockerfileOptions): DockerfileSource {
  const { file, stage, buildArgs, directory } = options;
  const text = readText(file, "the Dockerfile", "name it with --file, as a path from here");
  const read = (architecture: Architecture) =>
    readStages(text, { file, buildArgs, platform: formatPlatform(platformOf(architecture)) });
  const first = read(options.architecture ?? "x86_64");
  const architecture = architectureFor(rootOf(first, stage), options.architecture);
  const dockerfile = architecture === undefined ? first : read(architecture);
  planDockerfile(dockerfile, { target: stage, buildArgs, bases: undefined });
  const root = rootOf(dockerfile, stage).base;
  return {
    ...{ dockerfile, stage, buildArgs, directory, architecture },
    ignore: ignoreLines(options),
    base: root.kind === "image" ? dockerReference(root.reference) : "scratch",
  };
}

/**
 * Returns the architecture of `--platform` in FROM.
 * @throws DOCKERFILE_REFUSED for one that Lambda does not have
 */
export function stageArchitecture(
  stage: Pick<Stage, "file" | "line" | "platform">,
): Architecture | undefined {
  const { platform } = stage;
  if (platform === undefined) return undefined;
  const architecture = ARCHITECTURE.parse(platform);
  if (architecture) return architecture;
  throw refuse(
    stage,
    `Lambda does not run ${platform}`,
    "write --platform=linux/amd64 or --platform=linux/arm64",
  );
}

function architectureFor(root: Stage, wanted: Architecture | undefined): Architecture | undefined {
  const written = stageArchitecture(root);
  if (written === undefined || wanted === undefined || written === wanted) return wanted ?? written;
  throw refuse(
    root,
    `FROM is for ${written}, and --arch is ${wanted}`,
    "remove --platform from FROM, or leave out --arch",
  );
}

/** Follows FROM through stages to the stage that starts from an image. */
function rootOf(dockerfile: Dockerfile, target: string | undefined): Stage {
  let stage = neededStages(dockerfile, target).at(-1);
  while (stage?.base.kind === "stage") stage = dockerfile.stages[stage.base.stage];
  if (!stage) throw misuse("the Dockerfile has no stage", "begin it with FROM");
  return stage;
}

/**
 * Resolves an image name as Docker does: `node:22` is on Docker Hub, and never AWS's `nodejs:22`.
 */
export function dockerReference(name: string): string {
  return name === "scratch" ? name : formatReference(parseReference(name));
}

/**
 * Reads the ignore file that the user named, else the one that BuildKit would use:
 * `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` in the context.
 */
function ignoreLines({ file, directory, exclude, ignoreFile }: DockerfileOptions): readonly IgnoreLine[] {
  const candidates = [`${file}.dockerignore`, join(directory, ".dockerignore")];
  const path = ignoreFile ?? candidates.find((candidate) => existsSync(candidate));
  const hint = "name it with --ignore-file, as a path from here";
  const lines =
    path === undefined ? [] : parseIgnoreFile(readText(path, "the ignore file", hint), basename(path));
  const excluded = exclude.map((line) => ({ pattern: cleanPattern(line), where: "--exclude" }));
  compileIgnore([...lines, ...excluded]);
  return [...lines, ...excluded];
}

/** Bytes; even a long Dockerfile has only some thousand. */
const LIMIT = 1024 * 1024;

/** Reads a text file. @throws FILE_UNREADABLE if it is missing, too large, or not a regular file */
export function readText(path: string, what: string, hint: string): string {
  const bytes = readConfigurationFile(path, { maxBytes: LIMIT, code: "FILE_UNREADABLE", hint });
  if (bytes) return bytes.toString("utf8");
  throw new LambdaPackError("FILE_UNREADABLE", `${what} ${path} does not exist`, { hint });
}
