import { once } from "../../../async/single-flight.ts";
import { AwsApi } from "../../../aws/api.ts";
import { newestTag } from "../../../aws/ecr/images.ts";
import { parseEcrHost } from "../../../aws/ecr/names.ts";
import { hasCode, LambdaPackError } from "../../../errors.ts";
import { contentKey } from "../../../layer/keys.ts";
import { type InstallationPart, readHistory } from "../../../oci/compose.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Image, Layer } from "../../../oci/image.ts";
import { layerCompression } from "../../../oci/media-types.ts";
import type { Platform } from "../../../oci/platform.ts";
import type { Reference } from "../../../oci/reference.ts";
import {
  formatLocation,
  type ImageLocation,
  selectorOf,
  type Target,
} from "../../../session/image-location.ts";
import type { Session } from "../../../session/session.ts";
import { throughCache } from "../../../session/through-cache.ts";

/** The image from which layers are reused. */
export interface ReusePlan {
  /** false: no layer is reused. */
  readonly isEnabled: boolean;
  /** The image that the user named; undefined: the previous one at each destination. */
  readonly from: ImageLocation | undefined;
}

interface ReusedLayer {
  readonly layer: Layer;
  readonly fingerprint: Digest;
  readonly how: "reused";
  /** The image, as `registry/app:v41`. */
  readonly from: string;
  /** The name in that image's history. */
  readonly name: string;
  readonly installation?: InstallationPart | undefined;
}

/** The layers of earlier images, by fingerprint. The images are pulled on the first call. */
export interface PreviousLayers {
  hasLayers(): Promise<boolean>;
  find(fingerprint: Digest): Promise<ReusedLayer | undefined>;
  /** Returns all layers of an installation in order; undefined if one is missing. */
  findInstallation(key: Digest): Promise<readonly ReusedLayer[] | undefined>;
  /** Warns if the image that the user named was read, and no layer of it was found. */
  warnIfUnused(): void;
}

interface PreviousOptions {
  readonly plan: ReusePlan;
  readonly destinations: readonly Target[];
  readonly platform: Platform;
  /** Whether the image will be pushed to the destinations. */
  readonly isPushed: boolean;
  /** The deflate level with which a layer must have been packed. */
  readonly level: number;
  readonly session: Session;
}

/**
 * Opens the layers of the image that the plan names, else of the image with the same tag at each
 * registry destination, else of the newest image there. An image that cannot be read has no layers;
 * the user is warned only if it was named.
 */
export function openPrevious(options: PreviousOptions): PreviousLayers {
  const { plan, level, session } = options;
  let named: LayersByFingerprint | undefined;
  let isUsed = false;
  const load = once(async () => {
    if (!plan.isEnabled || !plan.from) return loadLayers(options);
    named = await layersAt(plan.from, true, options);
    return named ?? new Map();
  });
  const used = <T>(found: T | undefined): T | undefined => {
    isUsed ||= found !== undefined;
    return found;
  };
  return {
    hasLayers: async () => (await load()).size > 0,
    find: async (fingerprint) => used((await load()).get(fingerprint)),
    findInstallation: async (key) => used(installationIn([...(await load()).values()], key)),
    warnIfUnused: () => {
      if (!plan.from || !named || isUsed) return;
      const reason =
        named.size > 0
          ? "none of its layers has the files of this build"
          : `it has no layer that lambda-pack packed with --level ${level}`;
      const message = `nothing is reused from ${formatLocation(plan.from)}: ${reason}`;
      session.emit({
        type: "warning",
        message,
        hint: "name another image with --reuse-from, or leave it out",
      });
    },
  };
}

function installationIn(layers: readonly ReusedLayer[], key: Digest): readonly ReusedLayer[] | undefined {
  const own = layers.filter(({ installation }) => installation?.key === key);
  const parts = own[0]?.installation?.parts ?? 0;
  const found = Array.from({ length: parts }, (_, index) =>
    own.find(({ installation }) => installation?.part === index + 1),
  ).filter((layer) => layer !== undefined);
  return parts > 0 && found.length === parts ? found : undefined;
}

type LayersByFingerprint = ReadonlyMap<Digest, ReusedLayer>;

/** Loads the layers of the previous image at each destination. */
async function loadLayers(options: PreviousOptions): Promise<LayersByFingerprint> {
  const { plan, destinations, session } = options;
  if (!plan.isEnabled || session.offline) return new Map();
  const images = destinations.map(async ({ location, tags: [tag = "latest"] }) => {
    if (location.kind !== "registry") return new Map();
    for await (const reference of candidates({ ...location.reference, tag }, session)) {
      const layers = await layersAt({ kind: "registry", reference }, false, options);
      if (layers) return layers;
    }
    return new Map();
  });
  return new Map((await Promise.all(images)).flatMap((layers) => [...layers]));
}

/**
 * Yields references that may name the previous image: the one with the same tag, then the image
 * pushed last (which only ECR can tell) or `latest`, because many projects give each commit a new
 * tag.
 */
async function* candidates(reference: Reference, session: Session): AsyncIterable<Reference> {
  yield reference;
  const tag = parseEcrHost(reference.registry, session.environment)
    ? await newestOnEcr(reference, session)
    : "latest";
  if (tag !== undefined && tag !== reference.tag) yield { ...reference, tag };
}

/** Returns the newest tag; undefined also if the caller may push but not list images. */
async function newestOnEcr(reference: Reference, session: Session): Promise<string | undefined> {
  const { environment, signal } = session;
  const { registry, repository: name } = reference;
  const host = parseEcrHost(registry, environment);
  if (!host) return undefined;
  try {
    return await AwsApi.run({ environment, signal }, (api) => newestTag(api, { ...host, name }));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LambdaPackError) return undefined;
    throw error;
  }
}

/** Returns undefined if there is no such image. */
async function layersAt(
  location: ImageLocation,
  isNamed: boolean,
  { platform, level, session, isPushed }: PreviousOptions,
): Promise<LayersByFingerprint | undefined> {
  const from = formatLocation(location);
  try {
    const image = await session.source(location).pull(selectorOf(location), platform, session.signal);
    return layersOf(image, from, level, session);
  } catch (error) {
    session.signal.throwIfAborted();
    // The destination is needed anyway, so it is better to fail before the work.
    if (hasCode(error, "REGISTRY_UNREACHABLE") && !isNamed) throw error;
    if (hasCode(error, "CREDENTIALS_INVALID") && !isNamed && isPushed) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (isNamed) session.emit({ type: "warning", message: `nothing is reused from ${from}: ${reason}` });
    return undefined;
  }
}

/**
 * Returns the layers by fingerprint. A fingerprint in the history is accepted only if it follows
 * from the layer's diffID, which every reader of the image verifies.
 */
function layersOf(
  { layers, settings: { history = [] } }: Image,
  from: string,
  level: number,
  session: Session,
): LayersByFingerprint {
  const entries = history.filter((entry) => entry.empty_layer !== true);
  const found = new Map<Digest, ReusedLayer>();
  if (entries.length !== layers.length) return found;
  for (const [index, layer] of layers.entries()) {
    const fingerprint = contentKey(layer.diffId, level);
    const said = readHistory(entries[index] ?? {});
    if (said.fingerprint !== fingerprint) continue;
    if (layerCompression(layer.descriptor.mediaType) !== "gzip") continue;
    const cached = { ...layer, ...throughCache(layer, session) };
    const { name = "deps", installation } = said;
    found.set(fingerprint, { layer: cached, fingerprint, how: "reused", from, name, installation });
  }
  return found;
}
