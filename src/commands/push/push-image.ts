import { allOrAbort, createLimiter, type Limiter } from "../../async/concurrency.ts";
import type { BlobHow } from "../../events.ts";
import type { Content } from "../../oci/content.ts";
import type { Image } from "../../oci/image.ts";
import type { ImageSink } from "../../oci/store.ts";
import { MissingBlobsError } from "../../registry/errors/error.ts";
import type { Target } from "../../session/image-location.ts";
import type { Session } from "../../session/session.ts";
import type { Destination } from "./result.ts";
import { sharingSink } from "./sharing-sink.ts";

/** Sends the image to every target at once; when one fails the others are stopped, and have ended when this throws. */
export async function pushImage(
  image: Image,
  targets: readonly Target[],
  session: Session,
): Promise<readonly Destination[]> {
  const limit = createLimiter(session.jobs);
  return session.times.measure("send", () =>
    allOrAbort(session.signal, (signal) =>
      targets.map((target) => sendTo(target, image, { session, limit, signal })),
    ),
  );
}

interface Sending {
  readonly session: Session;
  readonly limit: Limiter;
  readonly signal: AbortSignal;
}

async function sendTo({ location, tags }: Target, image: Image, sending: Sending): Promise<Destination> {
  const { session, signal } = sending;
  const sink = session.sink(location);
  const { digest } = image.manifest.descriptor;
  if (await sink.isPublished(image.manifest.descriptor, tags, signal)) {
    for (const blob of blobsOf(image)) announce(blob, "present", sink, session);
  } else {
    const shared = sharingSink(sink, location, session);
    await sendBlobs(blobsOf(image), shared, sending);
    await publish(image, tags, shared, sending);
  }
  const reference = `${sink.name}@${digest}`;
  session.emit({ type: "image-published", reference, digest, tags });
  return { reference, digest };
}

/** A registry may have said of a blob that it has it, and find out only now that it has not: then it is sent, once. */
async function publish(
  image: Image,
  tags: readonly string[],
  sink: ImageSink,
  sending: Sending,
): Promise<void> {
  try {
    await sink.publish(image.manifest, tags, sending.signal);
  } catch (error) {
    if (!(error instanceof MissingBlobsError)) throw error;
    const missing = new Set(error.missing);
    const lacking = blobsOf(image).filter(
      ({ descriptor }) => missing.size === 0 || missing.has(descriptor.digest),
    );
    await sendBlobs(lacking, { ...sink, has: async () => false }, sending);
    await sink.publish(image.manifest, tags, sending.signal);
  }
}

async function sendBlobs(blobs: readonly Content[], sink: ImageSink, sending: Sending): Promise<void> {
  const ask = createLimiter(sending.session.jobs);
  await allOrAbort(sending.signal, (signal) =>
    blobs.map(async (blob) => {
      const isThere = await ask(() => {
        signal.throwIfAborted();
        return sink.has(blob.descriptor, signal);
      });
      if (isThere) announce(blob, "present", sink, sending.session);
      else await sendBlob(blob, sink, { ...sending, signal });
    }),
  );
}

/** Each blob once, the largest first, so that no lane ends with a long one alone. */
function blobsOf({ config, layers }: Image): readonly Content[] {
  const unique = new Map([config, ...layers].map((blob) => [blob.descriptor.digest, blob]));
  return [...unique.values()].sort((a, b) => b.descriptor.size - a.descriptor.size);
}

/** Tells of the blob at once, and sends it when its turn has come: whoever adds up what is to be sent knows it from the start. */
async function sendBlob(blob: Content, sink: ImageSink, { session, limit, signal }: Sending): Promise<void> {
  const { digest, size } = blob.descriptor;
  const onBytes = (sent: number) =>
    session.emit({ type: "blob-progress", destination: sink.name, digest, size, sent });
  onBytes(0);
  const how = await limit(() => {
    signal.throwIfAborted();
    return sink.put(blob, { signal, onBytes });
  });
  announce(blob, how, sink, session);
}

function announce(
  { descriptor: { digest, size } }: Content,
  how: BlobHow,
  sink: ImageSink,
  session: Session,
): void {
  session.emit({ type: "blob-done", destination: sink.name, digest, size, how });
}
