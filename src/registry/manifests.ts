import { LambdaPackError, RegistryError } from "../errors.ts";
import { type Content, contentOf, type Descriptor, DOCUMENT_LIMIT } from "../oci/content.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isIndexType, isManifestType, MANIFEST_TYPES } from "../oci/media-types.ts";
import type { Call, RegistryClient } from "./client.ts";
import { DamagedAnswer, Refusal } from "./errors/error.ts";
import type { HttpResponse } from "./http/http.ts";
import { readUpTo } from "./http/steady.ts";

/** Registries hide what is not asked for (real-components part 2, row 7), so always all four. */
const ACCEPT = { accept: MANIFEST_TYPES.join(", ") };

export function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

/**
 * The manifest or index behind a tag or digest. The digest of the result is computed; a registry that calls it otherwise is not believed.
 * @throws IMAGE_NOT_FOUND, REPOSITORY_NOT_FOUND, CONTENT_MISMATCH, IMAGE_INVALID when larger than 4 MiB.
 */
export async function getManifest(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
): Promise<Content> {
  const call = reading(client, "GET", reference, signal);
  return client.persist(call, async () => {
    const response = await client.once(call);
    const mediaType = response.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    const content = contentOf(mediaType, await bodyOf(client, response, reference));
    const { digest } = content.descriptor;
    if (isDigest(reference) && digest !== reference) throw mismatch(client, reference, digest);
    const told = response.header("docker-content-digest");
    if (told !== undefined && isDigest(told) && told !== digest) throw mismatch(client, told, digest);
    return content;
  });
}

/** @throws IMAGE_INVALID before more than the limit is in memory. */
async function bodyOf(
  client: RegistryClient,
  response: HttpResponse,
  reference: string,
): Promise<Uint8Array> {
  if (Number(response.header("content-length") ?? 0) > DOCUMENT_LIMIT) {
    response.discard();
    throw tooLarge(client, reference);
  }
  const bytes = await readUpTo(response, DOCUMENT_LIMIT, client.pacing);
  if (!bytes) throw tooLarge(client, reference);
  return bytes;
}

function tooLarge({ name }: RegistryClient, reference: string): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the manifest ${reference} of ${name} is larger than the ${DOCUMENT_LIMIT} bytes it may have`,
    { hint: "that is no manifest: check the name, and what answers in the registry's place" },
  );
}

function mismatch({ name }: RegistryClient, expected: Digest, actual: Digest): DamagedAnswer {
  return new DamagedAnswer(`${name} gave a manifest with the digest ${actual} for ${expected}`);
}

/** A manifest that an index names: read when it is needed, by digest, so that no registry may convert it (ECR does by tag). */
export function manifestContent(client: RegistryClient, descriptor: Descriptor): Content {
  return {
    descriptor,
    async *read(from = 0, signal) {
      const { descriptor: found, read } = await getManifest(client, descriptor.digest, signal);
      const labelled = isManifest(found) && found.mediaType !== descriptor.mediaType;
      // GHSA-mc8v-mgrf-8f4m: one document must not be two things to two readers.
      if (labelled) throw confused(client, descriptor, found.mediaType);
      yield* read(from, signal);
    },
  };
}

function confused(
  { name }: RegistryClient,
  { digest, mediaType }: Descriptor,
  served: string,
): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `${name}: the index calls ${digest} ${mediaType}, the registry ${served}`,
    { hint: "the image is not what it says it is: have it pushed again, or take another one" },
  );
}

/** What a tag or digest names, undefined where it names nothing. */
export async function headManifest(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
  how: "once" | "send" = "send",
): Promise<Digest | undefined> {
  const call = { ...reading(client, "HEAD", reference, signal), answers: [200, 400, 401, 403, 404, 405] };
  const response = await client[how](call);
  response.discard();
  if (response.status === 404) return undefined;
  const told = response.header("docker-content-digest");
  if (response.status === 200 && told !== undefined && isDigest(told)) return told;
  // No digest told, or a refusal, whose reason is in the body that HEAD has not.
  return digestByGet(client, reference, signal);
}

async function digestByGet(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await getManifest(client, reference, signal)).descriptor.digest;
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined;
    throw error;
  }
}

function reading(
  client: RegistryClient,
  method: "GET" | "HEAD",
  reference: string,
  signal?: AbortSignal,
): Call {
  const url = client.url(`manifests/${reference}`);
  return {
    method,
    url,
    headers: ACCEPT,
    action: "read the manifest",
    subject: reference,
    answers: [200],
    signal,
  };
}

/** A manifest and its bytes. */
export interface ManifestBytes {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * Afterwards `reference`, a tag or the digest, names this manifest.
 * @throws MissingBlobsError, TAG_IMMUTABLE, CONTENT_MISMATCH when the registry stored other bytes.
 */
export async function putManifest(
  client: RegistryClient,
  manifest: ManifestBytes,
  reference: string,
  signal?: AbortSignal,
): Promise<void> {
  const call = writing(client, manifest, reference, signal);
  const { digest } = manifest.descriptor;
  const isThere = async () => (await headManifest(client, reference, signal, "once")) === digest;
  let unsure = false;
  await client.persist(call, async () => {
    // The answer to the last try may be all that was lost.
    if (unsure && (await isThere())) return;
    unsure = false;
    try {
      confirm(client, await client.once(call), digest);
    } catch (error) {
      // ECR refuses an immutable tag even where it names this very manifest (containers-roadmap#2380).
      if (error instanceof Refusal && error.code === "TAG_IMMUTABLE" && (await isThere())) return;
      unsure = !(error instanceof DamagedAnswer);
      throw error;
    }
  });
}

function confirm({ name }: RegistryClient, response: HttpResponse, digest: Digest): void {
  response.discard();
  const told = response.header("docker-content-digest");
  if (told === undefined || !isDigest(told) || told === digest) return;
  throw new DamagedAnswer(`${name} stored a manifest with the digest ${told}, not ${digest}`);
}

function writing(
  client: RegistryClient,
  { descriptor, bytes }: ManifestBytes,
  reference: string,
  signal?: AbortSignal,
): Call {
  return {
    method: "PUT",
    url: client.url(`manifests/${reference}`),
    headers: { "content-type": descriptor.mediaType },
    body: {
      length: bytes.length,
      async *read() {
        yield bytes;
      },
    },
    action: "write the manifest",
    subject: reference,
    answers: [200, 201, 202, 204],
    signal,
  };
}
