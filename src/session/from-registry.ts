import { LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Image } from "../oci/image.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { resolveImage } from "../oci/resolve.ts";
import type { Named } from "../oci/store.ts";
import { fetchInto } from "./fetch.ts";
import { selectorOf } from "./image-location.ts";
import type { Session } from "./session.ts";

/**
 * The image that a registry has under this name. A tag is asked for, once; what a digest names never changes, so that
 * no registry is asked for a manifest or a config that the cache has. The cache is never believed: every document is
 * held to the digest that was asked for, from the reference down to the config.
 * Layers come from the registry when they are read, through the cache.
 */
export async function pullFromRegistry(
  reference: Reference,
  platform: Platform | undefined,
  session: Session,
): Promise<Image> {
  const { cache, signal } = session;
  const key = formatReference(reference);
  const find = session.offline ? refusing(reference) : asking(reference, session);
  const mayBeOld = session.offline || reference.digest !== undefined;
  const known = mayBeOld ? await cache.findManifest(key, reference.digest) : undefined;
  const top = known ?? (await find()).top;
  const open = (descriptor: Descriptor) => fromCacheFirst(descriptor, reference, find, session);
  const image = await resolveImage(top, open, platform, signal);
  await cache.keep(image.config, { signal });
  await cache.keep(image.manifest, { signal });
  // What the reference names, an index too: only that can be held to the reference's digest.
  if (!known) await cache.rememberManifest(key, top);
  return { ...image, layers: image.layers.map((layer) => ({ ...layer, ...throughCache(layer, session) })) };
}

type Find = (what?: string) => Promise<Named>;

/** What the registry has under the name, asked for when it is first needed. */
function asking(reference: Reference, session: Session): Find {
  let asked: Promise<Named> | undefined;
  return () => {
    asked ??= session
      .source({ kind: "registry", reference })
      .find(selectorOf({ kind: "registry", reference }), session.signal);
    return asked;
  };
}

function refusing(reference: Reference): Find {
  return async (what = `the image ${formatReference(reference)}`) => {
    throw new LambdaPackError("OFFLINE", `${what} is not in the cache`, {
      hint: "run once without --offline",
    });
  };
}

function fromCacheFirst(
  descriptor: Descriptor,
  { registry, repository }: Reference,
  find: Find,
  { cache }: Session,
): Content {
  return {
    descriptor,
    origin: { registry, repository },
    async *read(from, signal, memory) {
      const { digest, size } = descriptor;
      const content = (await cache.find(digest, size)) ?? (await find(digest)).open(descriptor);
      yield* content.read(from, signal, memory);
    },
  };
}

/** The same content, in a local file from its first reading on. */
export function throughCache(content: Content, { cache, emit }: Session): Content {
  const { digest, size } = content.descriptor;
  const onBytes = (received: number) => emit({ type: "download-progress", digest, received, size });
  const local = async (signal?: AbortSignal): Promise<Content> => {
    const cached = await cache.find(digest, size);
    return cached ?? fetchInto(cache, content, { signal, onBytes, emit });
  };
  return {
    ...content,
    local,
    async *read(from, signal, memory) {
      yield* (await local(signal)).read(from, signal, memory);
    },
  };
}
