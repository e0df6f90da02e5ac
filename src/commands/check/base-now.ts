import { LambdaPackError } from "../../errors.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import type { BaseNow } from "../../lint/facts.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { parseReference } from "../../oci/reference.ts";
import { parseEndpoint, selectorOf } from "../../session/image-location.ts";
import { pullUnchanged } from "../../session/pull.ts";
import type { Session } from "../../session/session.ts";

/** image-spec annotations.md, as labels: lambda-pack's images have them, and buildx's where they are asked for. */
const NAME = "org.opencontainers.image.base.name";
const DIGEST = "org.opencontainers.image.base.digest";

/**
 * What the base that an image names is now; two small requests. undefined where it names none, or one that cannot move; who asked `explicitly`
 * is told so.
 * A registry that does not tell is a warning and no more: the image itself is none the worse.
 */
export async function baseNow(
  settings: ImageConfig,
  session: Session,
  explicitly: boolean,
): Promise<BaseNow | undefined> {
  const { [NAME]: name = "", [DIGEST]: built } = settings.config?.Labels ?? {};
  if (built === undefined || !isFloating(name)) {
    if (explicitly)
      session.emit({ type: "warning", message: UNNAMED, hint: "build it with lambda-pack, on a tag" });
    return undefined;
  }
  try {
    return { name, built, now: await digestsOf(name, settings, session) };
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code === "ABORTED") throw error;
    const message = `whether ${name} has moved since cannot be told: ${error.message}`;
    session.emit({ type: "warning", message, ...(error.hint !== undefined && { hint: error.hint }) });
    return undefined;
  }
}

const UNNAMED = "whether its base has moved cannot be told: the image names none by tag and digest";

function isFloating(name: string): boolean {
  try {
    return name !== "scratch" && parseReference(name).digest === undefined;
  } catch {
    return false; // the label may say anything
  }
}

/** Of the image for this platform, and of the index that it is in: tools differ in which of the two they name. */
async function digestsOf(
  name: string,
  { os, architecture, variant }: ImageConfig,
  session: Session,
): Promise<readonly Digest[]> {
  const endpoint = parseEndpoint(resolveBase(name, session.environment).reference);
  const platform = { os, architecture, ...(variant !== undefined && { variant }) };
  const { digest } = await pullUnchanged(endpoint, platform, session);
  const { top } = await session.source(endpoint).find(selectorOf(endpoint), session.signal);
  return [...new Set([digest, top.descriptor.digest])];
}
