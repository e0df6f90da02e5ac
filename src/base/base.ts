import { loadOnce } from "../async/single-flight.ts";
import { type BaseName, resolveBase } from "../lambda/base-name.ts";
import type { BaseFacts } from "../lambda/bases.ts";
import { baseWarnings } from "../lambda/bases.ts";
import { emptyImage } from "../oci/compose.ts";
import type { Digest } from "../oci/digest.ts";
import type { Image } from "../oci/image.ts";
import type { Family } from "../oci/media-types.ts";
import { formatPlatform, type Platform, platformOf } from "../oci/platform.ts";
import { type ImageLocation, isLocal, parseImageLocation } from "../session/image-location.ts";
import { pull } from "../session/pull.ts";
import type { Environment, Session } from "../session/session.ts";
import { type LockPlan, pinBase } from "./lock.ts";

/** The image that a build adds layers to. */
export interface Base {
  readonly image: Image;
  /** The reference that was pulled: `127.0.0.1:5000/lambda/python:3.12` with a mirror. */
  readonly reference: string;
  /** The base's name in the built image, the same for every mirror. A base in a file has none. */
  readonly name?: string;
  /** Digest of the image for this platform. `scratch` has none. */
  readonly digest?: Digest;
  /** Only for AWS's bases. */
  readonly facts?: BaseFacts;
}

/** Where a base comes from. */
export type BaseSource =
  | { readonly kind: "scratch" }
  /** A layout or an archive. */
  | { readonly kind: "file"; readonly location: ImageLocation }
  | { readonly kind: "registry"; readonly name: BaseName };

export interface BasePlan {
  readonly source: BaseSource;
  /** undefined: the only platform of an index, else linux/amd64. */
  readonly platform: Platform | undefined;
  /** Family of an image from `scratch`. */
  readonly family: Family | undefined;
  readonly lock: LockPlan;
  /** true: files are copied from the image, and no layers are added to it. */
  readonly isCopied?: true;
  /** true: does not warn if AWS no longer supports the base. */
  readonly isSupportAllowed?: boolean;
}

/** Parses the name of a base. @throws REFERENCE_INVALID. */
export function parseBase(text: string, environment: Environment): BaseSource {
  if (text === "scratch") return { kind: "scratch" };
  if (isLocal(text)) return { kind: "file", location: parseImageLocation(text) };
  return { kind: "registry", name: resolveBase(text, environment) };
}

/** The bases that a session has pulled, by their plans: several functions may share one. */
const pulledBases = new WeakMap<Session, Map<string, Promise<Base>>>();

/** Pulls the base once per session, without its layers. Warns if it no longer gets patches. */
export function pullBase(plan: BasePlan, session: Session): Promise<Base> {
  const known = pulledBases.get(session) ?? new Map<string, Promise<Base>>();
  pulledBases.set(session, known);
  return loadOnce(known, JSON.stringify(plan), () => pullOnce(plan, session));
}

async function pullOnce(plan: BasePlan, session: Session): Promise<Base> {
  const { source, platform } = plan;
  if (source.kind === "scratch") {
    const image = emptyImage(platform ?? platformOf("x86_64"), plan.family ?? "oci");
    return { image, reference: "scratch", name: "scratch" };
  }
  const base =
    source.kind === "file"
      ? await pull(source.location, platform, session)
      : await pullFromRegistry(source.name, plan, session);
  const { reference, digest, image } = base;
  const platformName = formatPlatform(image.settings);
  const copied = plan.isCopied ? { isCopied: true as const } : {};
  session.emit({ type: "base-resolved", reference, digest, platform: platformName, ...copied });
  return base;
}

async function pullFromRegistry(
  name: BaseName,
  { platform, lock, isSupportAllowed = false }: BasePlan,
  session: Session,
): Promise<Base & { readonly digest: Digest }> {
  for (const warning of name.base && !isSupportAllowed ? baseWarnings(name.base, new Date()) : [])
    session.emit({ type: "warning", ...warning });
  const pin = pinBase(name.published, platform, lock);
  const location = parseImageLocation(pin.digest ? `${name.reference}@${pin.digest}` : name.reference);
  const pulled = await pull(location, platform, session);
  await pin.verifyAndRecord(pulled);
  return { ...pulled, name: name.published, ...(name.base && { facts: name.base }) };
}
