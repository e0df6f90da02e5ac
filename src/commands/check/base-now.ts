import { LambdaPackError } from "../../errors.ts";
import { type BaseName, resolveBase } from "../../lambda/base-name.ts";
import type { BaseNow } from "../../lint/facts.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { parseReference } from "../../oci/reference.ts";
import { parseImageLocation, selectorOf } from "../../session/image-location.ts";
import { pullUnchanged } from "../../session/pull.ts";
import type { Session } from "../../session/session.ts";

/**
 * Annotations of the OCI image-spec (annotations.md) as labels. Images of lambda-pack have them,
 * those of buildx only on request.
 */
const NAME = "org.opencontainers.image.base.name";
const DIGEST = "org.opencontainers.image.base.digest";

interface BaseQuestion {
  /** Whether the user asked with `--ask-base`. */
  readonly explicitly: boolean;
  /**
   * The registry that the user named for the image or its base; undefined if the image is on this
   * machine.
   */
  readonly registry: string | undefined;
}

/**
 * Looks up the current digest of the base that an image names, in two small requests. Anybody can
 * write the label, so without `explicitly` only AWS's registry and the one that the user named are
 * contacted, and no other registry gets credentials. Returns undefined if the image names no base,
 * a pinned one, or one that is not contacted. A failed request is only a warning, because the image
 * itself can still be checked.
 */
export async function baseNow(
  settings: ImageConfig,
  session: Session,
  question: BaseQuestion,
): Promise<BaseNow | undefined> {
  const { [NAME]: name = "", [DIGEST]: built } = settings.config?.Labels ?? {};
  const base = built === undefined ? undefined : floatingBase(name, session.environment);
  if (built !== undefined && base) {
    const isTrusted = isNamed(base, question.registry);
    if (!isTrusted && !question.explicitly) return undefined;
    if (!isTrusted) session.distrust(registryOf(base), { registry: question.registry });
    return await ask({ name, built, base, isTrusted }, settings, session);
  }
  if (question.explicitly)
    session.emit({ type: "warning", message: UNNAMED, hint: "build it with lambda-pack, on a tag" });
  return undefined;
}

/** Returns whether it is one of AWS's bases, or in the registry that the user named. */
function isNamed(base: BaseName, registry: string | undefined): boolean {
  return base.aws || registryOf(base) === registry;
}

function registryOf({ reference }: BaseName): string {
  return parseReference(reference).registry;
}

interface Asked {
  readonly name: string;
  readonly built: string;
  readonly base: BaseName;
  readonly isTrusted: boolean;
}

async function ask(
  { name, built, base, isTrusted }: Asked,
  settings: ImageConfig,
  session: Session,
): Promise<BaseNow | undefined> {
  try {
    return { name, built, now: await digestsOf(base, settings, session) };
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code === "ABORTED") throw error;
    session.emit({ type: "warning", ...notAsked(name, error, isTrusted) });
    return undefined;
  }
}

/** Omits the registry's own message: the image, not the user, chose that registry. */
function notAsked(name: string, { code, hint }: LambdaPackError, isTrusted: boolean) {
  const message = `cannot tell whether ${name} has moved since: its registry answered with ${code}`;
  if (isTrusted) return hint === undefined ? { message } : { message, hint };
  return { message, hint: "only the image names this registry: it is asked without credentials" };
}

const UNNAMED = "cannot tell whether the base has moved: the image does not name its base by tag and digest";

/** Returns the base in the label; undefined if there is none, or if it is pinned to a digest. */
function floatingBase(name: string, environment: Session["environment"]): BaseName | undefined {
  try {
    const isFloating = name !== "scratch" && parseReference(name).digest === undefined;
    return isFloating ? resolveBase(name, environment) : undefined;
  } catch {
    return undefined; // the label can contain anything
  }
}

/**
 * Returns the digests of the image for this platform and of its index, because tools differ in
 * which of the two they write into the label.
 */
async function digestsOf(
  base: BaseName,
  { os, architecture, variant }: ImageConfig,
  session: Session,
): Promise<readonly Digest[]> {
  const location = parseImageLocation(base.reference);
  const platform = { os, architecture, ...(variant !== undefined && { variant }) };
  const { digest } = await pullUnchanged(location, platform, session);
  const { top } = await session.source(location).find(selectorOf(location), session.signal);
  return [...new Set([digest, top.descriptor.digest])];
}
