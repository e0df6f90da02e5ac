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

/** undefined: it is a directory, which is built first. @throws USAGE, REFERENCE_INVALID. */
export function sourceOf({ source: image, base }: DeployOptions): ImageLocation | undefined {
  if (isLocal(image)) return parseImageLocation(image);
  const isFolder = pathKind(image) === "directory";
  if (base !== undefined && !isFolder)
    throw new LambdaPackError("DIRECTORY_UNREADABLE", `${image} is not a directory`, {
      hint: "--base is for a directory, which is built on it; leave it out to deploy an image",
    });
  return isFolder ? undefined : parseImageLocation(image);
}

/** An image for a machine that Lambda has. */
export interface ImageForLambda {
  readonly image: Image;
  readonly architecture: Architecture;
}

/**
 * Gives the image for Lambda: built from the directory, or as it is at its source.
 * @throws IMAGE_UNSUPPORTED where Lambda has no such machine.
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
 * The build of a deploy. It finds the layers of the image before at the repositories, and sends new
 * ones there while it packs them. `env`, `cmd` and their like are the function's in a deploy, not
 * the image's.
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
    ...more
  } = options;
  const plan = parseBuildOptions({
    ...pickBuildOptions(more),
    directory,
    ...(architecture && { arch: architecture }),
  });
  return { ...plan, destinations: repositories.length === 0 ? [] : parseTargets(repositories, []) };
}

/**
 * Afterwards the repository has the image under a tag that keeps it from expiring, and under the
 * tags that were asked for; its name by digest. What is there already is not sent.
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
 * The image is there, and only its tag is not.
 * @throws `error` where that is not for want of a permission.
 */
function warnOfExpiry(reference: string, error: unknown, session: Session): void {
  if (!(error instanceof LambdaPackError) || error.code !== "DENIED") throw error;
  session.emit({
    type: "warning",
    message: `${reference} gets no tag that keeps it from expiring: ${error.message}`,
    hint: "see that no lifecycle policy expires it, or allow ecr:PutImage",
  });
}

/** Only the push finds it out: a repository may be created by a push (ECR's creation templates). */
function noRepository(repository: string, cause: unknown, { createRepo }: DeployOptions): LambdaPackError {
  const hint = createRepo
    ? "it was created, and the registry still does not know it: run it again in a minute"
    : "--create-repo creates it; else check the account, the region and the name (--repo)";
  return new LambdaPackError("REPOSITORY_NOT_FOUND", `there is no repository ${repository}`, { hint, cause });
}

/** Sends the tag of the source, too, where it may be moved: the deploy itself is by digest. */
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
