import { hasCode, LambdaPackError } from "../errors.ts";
import { type BaseName, resolveBase } from "../lambda/base-name.ts";
import { baseWarnings } from "../lambda/base-warnings.ts";
import type { BaseFacts } from "../lambda/bases.ts";
import { emptyImage } from "../oci/compose.ts";
import type { Digest } from "../oci/digest.ts";
import type { Image } from "../oci/image.ts";
import type { Family } from "../oci/media-types.ts";
import { formatPlatform, type Platform, platformOf } from "../oci/platform.ts";
import { type Endpoint, isLocal, parseEndpoint } from "../session/image-location.ts";
import type { Environment } from "../session/plan.ts";
import { pull } from "../session/pull.ts";
import type { Session } from "../session/session.ts";
import type { LockPlan } from "./lock.ts";
import { pinOf } from "./pin.ts";

/** What a build starts from. */
export interface Base {
  readonly image: Image;
  /** In full, and where it really was: `127.0.0.1:5000/lambda/python:3.12` where that stands in for AWS's. */
  readonly reference: string;
  /** What the image says of it: the same wherever it was pulled from. A base in a file has no name that others know. */
  readonly name?: string;
  /** Of the image for this platform. `scratch` has none. */
  readonly digest?: Digest;
  /** Where it is one of AWS's. */
  readonly facts?: BaseFacts;
}

/** Where a base comes from. */
export type BaseSource =
  | { readonly kind: "scratch" }
  /** A layout or an archive. */
  | { readonly kind: "file"; readonly location: Endpoint }
  | { readonly kind: "registry"; readonly name: BaseName };

export interface BasePlan {
  readonly source: BaseSource;
  /** undefined: the only one of an index, else linux/amd64. */
  readonly platform: Platform | undefined;
  /** Of an image from scratch. */
  readonly family: Family | undefined;
  readonly lock: LockPlan;
}

/** Reads the name of a base. @throws REFERENCE_INVALID. */
export function parseBase(text: string, environment: Environment): BaseSource {
  if (text === "scratch") return { kind: "scratch" };
  if (isLocal(text)) return { kind: "file", location: parseEndpoint(text) };
  return { kind: "registry", name: resolveBase(text, environment) };
}

/** Pulls the base; its layers are not read. Warns of a base that gets no more patches. */
export async function pullBase(
  { source, platform, family, lock }: BasePlan,
  session: Session,
): Promise<Base> {
  if (source.kind === "scratch") {
    const image = emptyImage(platform ?? platformOf("x86_64"), family ?? "oci");
    return { image, reference: "scratch", name: "scratch" };
  }
  if (source.kind === "file") return announce(await pull(source.location, platform, session), session);
  const { name } = source;
  for (const warning of name.base ? baseWarnings(name.base, new Date()) : [])
    session.emit({ type: "warning", ...warning });
  const pin = pinOf(name.published, platform, lock);
  const endpoint = parseEndpoint(pin.digest ? `${name.reference}@${pin.digest}` : name.reference);
  const pulled = await pull(endpoint, platform, session).catch((error: unknown) => {
    throw suggesting(name, error);
  });
  await pin.settle(pulled);
  return announce({ ...pulled, name: name.published, ...(name.base && { facts: name.base }) }, session);
}

function announce(base: Base & { readonly digest: Digest }, { emit }: Session): Base {
  const platform = formatPlatform(base.image.settings);
  emit({ type: "base-resolved", reference: base.reference, digest: base.digest, platform });
  return base;
}

/** A slip in the name of one of AWS's bases is a good name of an image that nobody has. */
function suggesting({ nearest }: BaseName, error: unknown): unknown {
  if (nearest === undefined || !(error instanceof LambdaPackError)) return error;
  if (!hasCode(error, "IMAGE_NOT_FOUND", "REPOSITORY_NOT_FOUND", "DENIED", "CREDENTIALS_INVALID"))
    return error;
  return new LambdaPackError("IMAGE_NOT_FOUND", error.message, {
    hint: `did you mean ${nearest.join(", ")}?`,
    cause: error,
  });
}
