import type { Pacing } from "../../async/retry.ts";
import { inUseTag } from "../../aws/ecr/lifecycle.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import type { Image } from "../../oci/image.ts";
import { type Architecture, architectureOf, formatPlatform, platformOf } from "../../oci/platform.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import {
  type ImageLocation,
  isLocal,
  parseImageLocation,
  parseTargets,
  pathKind,
  tagOf,
} from "../../session/image-location.ts";
import { pull } from "../../session/pull.ts";
import type { Session } from "../../session/session.ts";
import { directoryLike, refusePath, withoutDirectory } from "../../session/source-path.ts";
import { buildImage } from "../build/build.ts";
import { type BuildOptions, pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { warnOfNoEffect } from "../options/no-effect.ts";
import { pushImage, pushToNewRepository } from "../push/push.ts";
import { DEPLOY_OPTIONS, type DeployOptions, type DeployValues } from "./options.ts";

/**
 * Returns the image's location; undefined for a directory, which is built first.
 * @throws DIRECTORY_UNREADABLE, REFERENCE_INVALID, USAGE
 */
export function sourceOf({
  source,
  base,
}: Pick<DeployOptions, "source" | "base">): ImageLocation | undefined {
  if (pathKind(source) === "directory") return undefined;
  refusePath(source);
  if (base !== undefined && !isLocal(source)) {
    const near = directoryLike(source);
    throw new LambdaPackError("DIRECTORY_UNREADABLE", `${source} is not a directory`, {
      hint: `${near ? `did you mean ${near}? ` : ""}--base is for a directory, which is built on it; leave it out to deploy an image`,
    });
  }
  return withoutDirectory(source, () => parseImageLocation(source));
}

/** An image with the architecture of Lambda that it is for. */
export interface ImageForLambda {
  readonly image: Image;
  readonly architecture: Architecture;
}

/**
 * Returns the image to deploy: built from the directory, or pulled from its source.
 * @param uris the repositories to which layers are uploaded while they are packed
 * @throws IMAGE_UNSUPPORTED if Lambda does not have the image's platform
 */
export async function imageFor(
  options: DeployOptions,
  source: ImageLocation | undefined,
  architecture: Architecture | undefined,
  uris: readonly string[],
  session: Session,
): Promise<ImageForLambda> {
  const image = source
    ? (await pull(source, architecture && platformOf(architecture), session)).image
    : (await buildImage(buildPlanOf(options, architecture, uris), session)).image;
  const found = architectureOf(image.settings);
  if (found) return { image, architecture: found };
  throw new LambdaPackError(
    "IMAGE_UNSUPPORTED",
    `${options.source} is an image for ${formatPlatform(image.settings)}`,
    { hint: "Lambda runs linux/amd64 and linux/arm64: build it with --arch" },
  );
}

/**
 * Returns the plan for the build of a directory. Its destinations are the repositories, so that
 * layers of the previous image are reused and new ones are uploaded while they are packed.
 * @throws what {@link parseBuildOptions} throws
 */
export function buildPlanOf(
  options: DeployOptions,
  architecture?: Architecture,
  uris: readonly string[] = [],
): BuildPlan {
  const directory = options.source;
  const arch = architecture ? { arch: architecture } : {};
  const plan = parseBuildOptions({ ...buildOptionsIn(options), ...arch, directory });
  return {
    ...plan,
    // --cmd and --entrypoint of a deploy are the function's.
    command: { ...plan.command, hasImageOptions: false },
    destinations: uris.length === 0 ? [] : parseTargets(uris, []),
  };
}

/**
 * Returns the options that are the build's. `env`, `cmd`, `entrypoint` and `workdir` are not among
 * them, because in a deploy they are settings of the function.
 */
function buildOptionsIn({ build = {}, ...options }: DeployOptions): Partial<BuildOptions> {
  const { env: _, cmd: __, entrypoint: ___, workdir: ____, ...more } = options;
  const { createRepo: _____, tag: ______, ...others } = more;
  return { ...build, ...pickBuildOptions(others) };
}

/** Warns of options without effect; a build warns of its own. */
export function warnOfUnusedOptions(
  options: DeployOptions,
  source: ImageLocation | undefined,
  emit: OnEvent,
): void {
  const ofBuild = source ? {} : buildOptionsIn(options);
  const own = Object.entries(options).filter(([name]) => !Object.hasOwn(ofBuild, name));
  const run = { values: { ...options }, usesRegistry: true, isImage: source !== undefined };
  warnOfNoEffect(DEPLOY_OPTIONS, Object.fromEntries(own), run, emit);
}

/**
 * Pushes the image to the repository, with a tag that keeps it from expiring and the requested
 * tags. Content that is already there is not sent. Returns the reference by digest.
 */
export async function sendTo(
  repository: string,
  image: Image,
  source: ImageLocation | undefined,
  { createRepo, dryRun, tag }: DeployValues,
  { session, pacing }: { readonly session: Session; readonly pacing: Pacing },
): Promise<string> {
  const { digest } = image.manifest.descriptor;
  const reference = `${repository}@${digest}`;
  if (dryRun) return reference;
  const isThere = source?.kind === "registry" && isIn(repository, source);
  const tags = [inUseTag(digest), ...tag];
  const own = isThere || !source ? undefined : tagOf(source);
  try {
    const send = () =>
      sendUnder(tags, tags.includes(own ?? "") ? undefined : own, repository, image, session);
    await (createRepo ? pushToNewRepository(send, session, pacing) : send());
  } catch (error) {
    if (hasCode(error, "REPOSITORY_NOT_FOUND")) throw noRepository(repository, error, createRepo);
    if (!isThere) throw error;
    warnOfExpiry(reference, error, session);
  }
  return reference;
}

/**
 * Warns that an image which is already in the repository could not get its tag.
 * @throws `error` unless a permission is missing
 */
function warnOfExpiry(reference: string, error: unknown, session: Session): void {
  if (!(error instanceof LambdaPackError) || error.code !== "DENIED") throw error;
  session.emit({
    type: "warning",
    message: `${reference} gets no tag that keeps it from expiring: ${error.message}`,
    hint: "see that no lifecycle policy expires it, or allow ecr:PutImage",
  });
}

/**
 * Reported only after the push, because a push can create the repository (ECR's repository creation
 * templates).
 */
function noRepository(repository: string, cause: unknown, createRepo: boolean): LambdaPackError {
  const hint = createRepo
    ? "it was created, and the registry still does not know it: run it again in a minute"
    : "add --create-repo to create it, or check the account, the region and the name (--repo)";
  return new LambdaPackError("REPOSITORY_NOT_FOUND", `there is no repository ${repository}`, { hint, cause });
}

/** Pushes the image, and also under the tag of its source if that tag can be moved there. */
async function sendUnder(
  tags: readonly string[],
  own: string | undefined,
  repository: string,
  image: Image,
  session: Session,
): Promise<void> {
  try {
    await pushImage(image, parseTargets(repository, own === undefined ? tags : [...tags, own]), session);
  } catch (error) {
    if (own === undefined || !hasCode(error, "TAG_IMMUTABLE")) throw error;
    await pushImage(image, parseTargets(repository, tags), session);
    session.emit({
      type: "warning",
      message: `${repository}:${own} stays with another image, as tags of this repository cannot be moved`,
      hint: "the function gets its image by digest all the same; --tag gives it another tag",
    });
  }
}

function isIn(repository: string, { reference }: Extract<ImageLocation, { kind: "registry" }>): boolean {
  const { tag: _, digest: __, ...bare } = reference;
  return formatReference(bare) === formatReference(parseReference(repository));
}
