import { allOrAbort, createLimiter, type Limiter } from "../../async/concurrency.ts";
import { type Pacing, REAL_PACING, retry } from "../../async/retry.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
import type { BlobHow } from "../../events.ts";
import type { Content } from "../../oci/content.ts";
import type { Image } from "../../oci/image.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { ImageSink } from "../../oci/store.ts";
import type { Target } from "../../session/image-location.ts";
import { pull } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { warnOfNoEffectOnImages } from "../options/no-effect.ts";
import { PUSH_OPTIONS, type PushOptions, type PushPlan, parsePushOptions } from "./options.ts";
import { type Destination, layerReports, type PushResult, statsOf } from "./result.ts";

/**
 * Copies an image from a source to one or more destinations. Content that a destination has is
 * neither read nor sent; the manifest is written last.
 * @throws {@link LambdaPackError}; then each destination has the complete image, or what it had
 * before
 */
export async function push(options: PushOptions): Promise<PushResult> {
  const plan = parsePushOptions(options);
  return Session.run(plan.session, async (session) => {
    const images = [plan.source, ...plan.destinations.map(({ location }) => location)];
    warnOfNoEffectOnImages(images, PUSH_OPTIONS, options, session.emit);
    const { image, changes } = await imageOf(plan, session);
    const destinations = await pushImage(image, plan.destinations, session);
    return {
      digest: image.manifest.descriptor.digest,
      reference: destinations[0]?.reference ?? "",
      destinations,
      platform: formatPlatform(image.settings),
      layers: layerReports(image, []),
      stats: statsOf([], session),
      ...(changes && { changes }),
    };
  });
}

/** Returns the image and, with `forLambda`, its changes. */
async function imageOf(
  plan: PushPlan,
  session: Session,
): Promise<{ image: Image; changes?: readonly string[] }> {
  const { source, platform, forLambda } = plan;
  if (!forLambda) return pull(source, platform, session);
  // Imported only here, because few pushes need to read and write layers.
  const { pullForLambda } = await import("./for-lambda/pull.ts");
  return pullForLambda(source, platform, session);
}

/**
 * Pushes the image to all targets at the same time. If one fails, the others are stopped before
 * this throws.
 */
export async function pushImage(
  image: Image,
  targets: readonly Target[],
  session: Session,
): Promise<readonly Destination[]> {
  const uploads = createLimiter(session.jobs);
  const stop = session.times.start("send");
  try {
    return await allOrAbort(session.signal, (signal) =>
      targets.map((target) => sendTo(target, image, { session, uploads, signal })),
    );
  } finally {
    stop();
  }
}

interface SendContext {
  readonly session: Session;
  /** Limits the blobs in flight to all destinations together. */
  readonly uploads: Limiter;
  readonly signal: AbortSignal;
}

async function sendTo({ location, tags }: Target, image: Image, context: SendContext): Promise<Destination> {
  const { session, signal } = context;
  const { descriptor } = image.manifest;
  const sink = session.sink(location);
  if (await sink.isPublished(descriptor, tags, signal)) {
    for (const blob of blobsOf(image)) announce(blob, "present", sink, session);
  } else {
    await sendBlobs(blobsOf(image), sink, context);
    await publish(image, tags, sink, context);
  }
  const reference = `${sink.name}@${descriptor.digest}`;
  session.emit({ type: "image-published", reference, digest: descriptor.digest, tags });
  return { reference, digest: descriptor.digest };
}

/** Returns each blob once, the largest first, so that a large one is not sent alone at the end. */
function blobsOf({ config, layers }: Image): readonly Content[] {
  const unique = new Map([config, ...layers].map((blob) => [blob.descriptor.digest, blob]));
  return [...unique.values()].sort((a, b) => b.descriptor.size - a.descriptor.size);
}

async function sendBlobs(blobs: readonly Content[], sink: ImageSink, context: SendContext): Promise<void> {
  const { session, uploads } = context;
  const lookups = createLimiter(session.jobs);
  await allOrAbort(context.signal, (signal) =>
    blobs.map(async (blob) => {
      const { digest, size } = blob.descriptor;
      const isThere = await lookups(async () => {
        signal.throwIfAborted();
        return sink.has(blob.descriptor, signal);
      });
      if (isThere) return announce(blob, "present", sink, session);
      const onBytes = (sent: number) =>
        session.emit({ type: "blob-progress", destination: sink.name, digest, size, sent });
      onBytes(0); // emitted before the upload waits for its turn, so that a progress bar knows the total
      const how = await uploads(async () => {
        signal.throwIfAborted();
        return sink.put(blob, { signal, onBytes });
      });
      announce(blob, how, sink, session);
    }),
  );
}

/**
 * Writes the manifest. A registry may report only now that it lacks a blob which it claimed to
 * have; then that blob is sent, and the manifest is written again.
 */
async function publish(
  image: Image,
  tags: readonly string[],
  sink: ImageSink,
  context: SendContext,
): Promise<void> {
  try {
    await sink.publish(image.manifest, tags, context.signal);
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code !== "BLOBS_MISSING") throw error;
    const named = new Set<string>(error.answer?.missing);
    const missing = blobsOf(image).filter(
      ({ descriptor }) => named.size === 0 || named.has(descriptor.digest),
    );
    await sendBlobs(missing, { ...sink, has: async () => false }, context);
    await sink.publish(image.manifest, tags, context.signal);
  }
}

function announce({ descriptor }: Content, how: BlobHow, sink: ImageSink, session: Session): void {
  const { digest, size } = descriptor;
  session.emit({ type: "blob-done", destination: sink.name, digest, size, how });
}

const PATIENCE_MS = 60_000;
const LONGEST_WAIT_MS = 8_000;

/**
 * Repeats `push` while the registry does not find a repository that was just created: its API knows
 * the repository some seconds earlier (terraform-provider-aws#3859).
 * @throws REPOSITORY_NOT_FOUND after a minute, and any other error of `push` at once
 */
export function pushToNewRepository<T>(
  push: () => Promise<T>,
  { emit, signal }: Pick<Session, "emit" | "signal">,
  pacing: Pacing = REAL_PACING,
): Promise<T> {
  const startedAt = pacing.now();
  return retry(push, {
    pacing,
    signal,
    delayAfter: (error, attempt) => {
      if (!hasCode(error, "REPOSITORY_NOT_FOUND")) return undefined;
      const waitMs = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempt);
      return pacing.now() + waitMs > startedAt + PATIENCE_MS ? undefined : waitMs;
    },
    onRetry: ({ attempt, waitMs }) =>
      emit({
        type: "retrying",
        what: "push to the new repository",
        attempt,
        waitMs,
        reason: "the registry does not know it yet",
      }),
  });
}
