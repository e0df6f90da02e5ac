import type { Pacing } from "../../async/pacing.ts";
import { inUseTag } from "../../aws/ecr/lifecycle.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
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
import type { DeployOptions } from "../aws-options.ts";
import { buildImage } from "../build/build.ts";
import { pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { pushToNewRepository } from "../push/new-repository.ts";
import { pushImage } from "../push/push.ts";

/**
 * Returns the image's location; undefined for a directory, which is built first.
 * @throws USAGE, REFERENCE_INVALID
 */
export function sourceOf({ source: image, base }: DeployOptions): ImageLocation | undefined {
  if (isLocal(image)) return parseImageLocation(image);
  const isFolder = pathKind(image) === "directory";
  if (base !== undefined && !isFolder)
    throw new LambdaPackError("DIRECTORY_UNREADABLE", `${image} is not a directory`, {
      hint: "--base is for a directory, which is built on it; leave it out to deploy an image",
    });
  return isFolder ? undefined : parseImageLocation(image);
}

/** An image with the architecture of Lambda that it is for. */
export interface ImageForLambda {
  readonly image: Image;
  readonly architecture: Architecture;
}

/**
 * Returns the image to deploy: built from the directory, or pulled from its source.
 * @throws IMAGE_UNSUPPORTED if Lambda does not have the image's platform
 */
export async function imageFor(
  options: DeployOptions,
  source: ImageLocation | undefined,
  architecture: Architecture | undefined,
  repositories: readonly string[],
  session: Session,
): Promise<ImageForLambda> {
  const image = source
    ? (await pull(source, architecture && platformOf(architecture), session)).image
    : (await buildImage(buildPlan(options, architecture, repositories), session)).image;
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
 * layers of the previous image are reused and new ones are uploaded while they are packed. `env`,
 * `cmd`, `entrypoint` and `workdir` are left out, because in a deploy they are settings of the
 * function.
 */
function buildPlan(
  options: DeployOptions,
  architecture: Architecture | undefined,
  repositories: readonly string[],
): BuildPlan {
  const {
    env: _,
    cmd: __,
    entrypoint: ___,
    workdir: ____,
    arch: _____,
    createRepo: ______,
    source: directory,
    build = {},
    ...more
  } = options;
  const plan = parseBuildOptions({
    ...build,
    ...pickBuildOptions(more),
    directory,
    ...(architecture && { arch: architecture }),
  });
  return {
    ...plan,
    // --cmd and --entrypoint of a deploy are the function's.
    command: { ...plan.command, hasImageOptions: false },
    destinations: repositories.length === 0 ? [] : parseTargets(repositories, []),
  };
}

/**
 * Pushes the image to the repository, with a tag that keeps it from expiring and the requested
 * tags. Content that is already there is not sent. Returns the reference by digest.
 */
export async function sendTo(
  repository: string,
  image: Image,
  source: ImageLocation | undefined,
  options: DeployOptions,
  { session, pacing }: { readonly session: Session; readonly pacing: Pacing },
): Promise<string> {
  const { digest } = image.manifest.descriptor;
  const reference = `${repository}@${digest}`;
  if (options.dryRun) return reference;
  const isThere = source?.kind === "registry" && isIn(repository, source);
  const tags = [inUseTag(digest), ...[options.tag ?? []].flat()];
  const own = isThere || !source ? undefined : tagOf(source);
  try {
    const send = () =>
      sendUnder(tags, tags.includes(own ?? "") ? undefined : own, repository, image, session);
    await (options.createRepo ? pushToNewRepository(send, session, pacing) : send());
  } catch (error) {
    if (hasCode(error, "REPOSITORY_NOT_FOUND")) throw noRepository(repository, error, options);
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
function noRepository(repository: string, cause: unknown, { createRepo }: DeployOptions): LambdaPackError {
  const hint = createRepo
    ? "it was created, and the registry still does not know it: run it again in a minute"
    : "--create-repo creates it; else check the account, the region and the name (--repo)";
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
