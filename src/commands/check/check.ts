import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasCode, LambdaPackError } from "../../errors.ts";
import { factsOfImage } from "../../lint/collect-facts.ts";
import { type Content, readAll } from "../../oci/content.ts";
import { type IndexEntry, parseDocument, parseImageConfig } from "../../oci/documents.ts";
import type { ImageConfig, Manifest } from "../../oci/image.ts";
import { layerCompression, MEDIA_TYPES } from "../../oci/media-types.ts";
import type { Platform } from "../../oci/platform.ts";
import { findManifest } from "../../oci/resolve.ts";
import { type ImageLocation, selectorOf } from "../../session/image-location.ts";
import { withImageName } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { warnOfNoEffectOnImages } from "../options/no-effect.ts";
import { baseNow } from "./base-now.ts";
import { checkDirectory } from "./check-directory.ts";
import { CHECK_OPTIONS, type CheckOptions } from "./options.ts";
import { type CheckPlan, type CheckResult, type ImageToCheck, parseCheckOptions, resultOf } from "./plan.ts";

/**
 * Reports every rule of Lambda that an image breaks, or that the image of a directory would break.
 * Nothing is unpacked, run or sent.
 * @throws {@link LambdaPackError} if there is nothing to check: an unknown image, file or rule in
 * `allow`
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const plan = parseCheckOptions(options);
  const { target } = plan;
  return Session.run(plan.session, (session) =>
    target.kind === "directory"
      ? checkDirectory(plan, target.build, session)
      : checkImage(plan, target, session),
  );
}

async function checkImage(
  plan: CheckPlan,
  { location, platform }: ImageToCheck,
  session: Session,
): Promise<CheckResult> {
  warnOfNoEffectOnImages([location], CHECK_OPTIONS, plan.given, session.emit);
  const isLocal = location.kind !== "registry";
  const { signal } = session;
  const found = await findImage(location, platform, session).catch((error: unknown) => {
    if (isFaultOfImage(error) || isDamaged(location, error)) return error.message;
    throw withImageName(error, plan.source);
  });
  if (typeof found === "string") {
    const broken = { settings: NO_SETTINGS, brokenImage: found, brokenConfig: found };
    return resultOf(plan, await factsOfImage(broken, [], 0, plan.lint, signal), session.emit);
  }
  const { named } = found;
  const opened = { ...found, ...(await readConfig(named.open(found.manifest.config), signal)) };
  const layers = opened.manifest.layers.map((descriptor) => damageAsFinding(named.open(descriptor)));
  // A registry's layers must be downloaded, so the base's are left out; a local file is fast to
  // read.
  const ownFrom = isLocal ? 0 : layers.length - ownLayers(opened.settings);
  const known = {
    ...opened,
    ...(!named.written && { manifest: asPushed(opened.manifest) }),
    ...(location.kind === "docker-archive" && { index: await indexOfArchive(location.path, session) }),
    ...(asksBase(plan, isLocal) && {
      baseNow: await baseNow(opened.settings, session, {
        explicitly: plan.askBase === true,
        registry: location.kind === "registry" ? location.reference.registry : undefined,
      }),
    }),
  };
  const facts = await factsOfImage(known, layers, ownFrom, plan.lint, signal);
  return resultOf(plan, facts, session.emit, opened.content.descriptor.digest);
}

async function findImage(location: ImageLocation, platform: Platform | undefined, session: Session) {
  const named = await session.source(location).find(selectorOf(location), session.signal);
  return { named, ...(await findManifest(named.top, named.open, platform, session.signal)) };
}

/**
 * Returns whether the base is looked up. For an image in a registry it is by default, as the
 * network is used anyway; {@link baseNow} decides which registries are contacted.
 */
function asksBase({ askBase, lint, session }: CheckPlan, isLocal: boolean): boolean {
  return (askBase ?? !isLocal) && !session.offline && !lint.allow.includes("base-behind");
}

/** Reads the config; if it is missing, damaged or unreadable, that is a finding, not an error. */
async function readConfig(config: Content, signal: AbortSignal) {
  try {
    const bytes = await readAll(config, signal);
    return { settings: parseImageConfig(bytes), brokenConfig: undefined };
  } catch (error) {
    if (!isFaultOfImage(error)) throw error;
    return { settings: NO_SETTINGS, brokenConfig: error.message };
  }
}

/** Turns missing or wrong bytes of a layer into IMAGE_INVALID, which becomes a finding. */
function damageAsFinding(layer: Content): Content {
  return {
    ...layer,
    async *read(from, signal) {
      try {
        yield* layer.read(from, signal);
      } catch (error) {
        if (!hasCode(error, "CONTENT_MISMATCH") || !(error instanceof LambdaPackError)) throw error;
        throw new LambdaPackError("IMAGE_INVALID", error.message, { hint: error.hint, cause: error });
      }
    },
  };
}

/** Returns whether the image is at fault, and not a registry, its login or the network. */
function isFaultOfImage(error: unknown): error is LambdaPackError {
  return (
    error instanceof LambdaPackError &&
    hasCode(error, "IMAGE_INVALID", "IMAGE_UNSUPPORTED", "CONTENT_MISMATCH")
  );
}

/** Returns whether the layout or archive is damaged; a directory of another kind is not. */
function isDamaged(location: ImageLocation, error: unknown): error is LambdaPackError {
  if (!(error instanceof LambdaPackError) || !hasCode(error, "LAYOUT_INVALID")) return false;
  return location.kind !== "oci" || existsSync(join(location.path, "oci-layout"));
}

const NO_SETTINGS: ImageConfig = { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } };

/**
 * Returns the number of layers that lambda-pack added to the base, or of all layers if another tool
 * built the image.
 */
function ownLayers({ history = [], rootfs }: ImageConfig): number {
  const own = history.filter(({ created_by: by }) => by?.startsWith("lambda-pack: ")).length;
  return own === 0 ? rootfs.diff_ids.length : own;
}

/**
 * Returns the manifest of a Docker archive as a push would write it: Docker and lambda-pack
 * compress the plain tars in the archive.
 */
function asPushed(manifest: Manifest): Manifest {
  return {
    ...manifest,
    layers: manifest.layers.map((layer) =>
      layerCompression(layer.mediaType) === "none"
        ? { ...layer, mediaType: MEDIA_TYPES.docker.layer }
        : layer,
    ),
  };
}

/**
 * Returns the index in the archive; undefined if it has one image or no OCI layout. `docker save`
 * since Docker 25 also writes an OCI layout of what `docker push` would send: with the containerd
 * image store, that is an index with the attestations of the build.
 */
async function indexOfArchive(path: string, session: Session): Promise<readonly IndexEntry[] | undefined> {
  let top: Content;
  try {
    ({ top } = await session.source({ kind: "oci-archive", path }).find(undefined, session.signal));
  } catch (error) {
    if (error instanceof LambdaPackError && error.code !== "ABORTED") return undefined;
    throw error;
  }
  const document = parseDocument(await readAll(top, session.signal), top.descriptor.mediaType);
  return document.kind === "index" ? document.entries : undefined;
}
