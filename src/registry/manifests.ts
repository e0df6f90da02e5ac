import { hasCode, LambdaPackError } from "../errors.ts";
import { type Content, contentOf, type Descriptor } from "../oci/content.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { DOCUMENT_LIMIT } from "../oci/json.ts";
import { isIndexType, isManifestType, MANIFEST_TYPES } from "../oci/media-types.ts";
import { checkStored, LACKS_HEAD, statedDigest } from "./blobs.ts";
import type { Call, RegistryClient } from "./client.ts";
import { damaged } from "./errors/refusal.ts";
import { bodyOf } from "./http/types.ts";
import { isRefusal, LOOK_UP_ANSWERS, type LookUpFailures, lookUp } from "./look-up.ts";

export function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

/**
 * Reads the manifest or index that a tag or digest names. Computes its digest, and checks it
 * against the requested digest and the one that the registry states.
 * @throws IMAGE_NOT_FOUND, REPOSITORY_NOT_FOUND, CONTENT_MISMATCH, IMAGE_INVALID when larger than 4
 * MiB.
 */
export async function getManifest(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
): Promise<Content> {
  const call = { ...reading(client, reference, signal), method: "GET" } as const;
  return client.persist(call, async () => {
    const response = await client.once(call);
    const mediaType = response.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    const bytes = await response.bytes(DOCUMENT_LIMIT, () => tooLarge(client, reference));
    const content = contentOf(mediaType, bytes);
    const { digest } = content.descriptor;
    for (const expected of [reference, statedDigest(response) ?? digest])
      if (isDigest(expected) && digest !== expected)
        throw damaged(`${client.name} gave a manifest with the digest ${digest} for ${expected}`);
    return content;
  });
}

function tooLarge({ name }: RegistryClient, reference: string): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the manifest ${reference} of ${name} is larger than the limit of ${DOCUMENT_LIMIT} bytes`,
    { hint: "check the name, and what answers in place of the registry; that is not a manifest" },
  );
}

/**
 * Returns the content of a manifest that an index lists. It is read on demand, and by digest,
 * because ECR converts a manifest that is read by tag.
 */
export function manifestContent(client: RegistryClient, descriptor: Descriptor): Content {
  return {
    descriptor,
    async *read(from = 0, signal) {
      const { descriptor: found, read } = await getManifest(client, descriptor.digest, signal);
      const labelled = isManifest(found) && found.mediaType !== descriptor.mediaType;
      // GHSA-mc8v-mgrf-8f4m: no document may be an index to one client and a manifest to another.
      if (labelled)
        throw new LambdaPackError(
          "IMAGE_INVALID",
          `${client.name}: the index calls ${found.digest} ${descriptor.mediaType}, the registry ${found.mediaType}`,
          { hint: "the image is not what it claims to be: push it again, or use another one" },
        );
      yield* read(from, signal);
    },
  };
}

/**
 * Returns the digest of the manifest that `reference` names; undefined if there is none, or
 * where the registry does not say (Harbor answers 412 to a HEAD of an image with vulnerabilities,
 * goharbor/harbor#18792).
 */
export async function headManifest(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
  failures?: LookUpFailures,
): Promise<Digest | undefined> {
  const call = { ...reading(client, reference, signal), method: "HEAD", answers: LOOK_UP_ANSWERS } as const;
  const response = await lookUp(client, call, failures);
  if (!response) return undefined;
  response.discard();
  const stated = response.status === 200 ? statedDigest(response) : undefined;
  // The registry stated no digest, or does not support HEAD: read the manifest instead.
  const isUnknown = stated === undefined && [200, ...LACKS_HEAD].includes(response.status);
  return isUnknown ? digestByGet(client, reference, signal) : stated;
}

async function digestByGet(
  client: RegistryClient,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await getManifest(client, reference, signal)).descriptor.digest;
  } catch (error) {
    const isAnswer = error instanceof LambdaPackError && LOOK_UP_ANSWERS.includes(error.answer?.status ?? 0);
    if (isAnswer || isRefusal(error) || hasCode(error, "CONTENT_MISMATCH", "IMAGE_INVALID")) return undefined;
    throw error;
  }
}

function reading(client: RegistryClient, reference: string, signal?: AbortSignal) {
  const url = client.url(`manifests/${reference}`);
  // Registries return only the media types that Accept lists.
  const headers = { accept: MANIFEST_TYPES.join(", ") };
  return { url, headers, action: "read the manifest", subject: reference, answers: [200], signal } as const;
}

/**
 * Pushes the manifest as `reference`, a tag or its digest.
 * @throws BLOBS_MISSING, TAG_IMMUTABLE, CONTENT_MISMATCH when the registry stored other bytes.
 */
export async function putManifest(
  client: RegistryClient,
  manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  reference: string,
  signal?: AbortSignal,
): Promise<void> {
  const { digest, mediaType } = manifest.descriptor;
  const call: Call = {
    method: "PUT",
    url: client.url(`manifests/${reference}`),
    headers: { "content-type": mediaType },
    body: bodyOf(manifest.bytes),
    ...{ action: "write the manifest", subject: reference, signal },
    commits: true,
    answers: [200, 201, 202, 204],
  };
  const failures = { count: 0 };
  const isThere = async () => (await headManifest(client, reference, signal, failures)) === digest;
  let isUnsure = false;
  await client.persist(call, async () => {
    // The last attempt may have succeeded although its answer was lost.
    if (isUnsure && (await isThere())) return;
    isUnsure = false;
    try {
      checkStored(client, await client.once(call), digest);
    } catch (error) {
      // ECR refuses to write an immutable tag even if it already names this manifest
      // (containers-roadmap#2380).
      if (hasCode(error, "TAG_IMMUTABLE") && (await isThere())) return;
      isUnsure = !hasCode(error, "CONTENT_MISMATCH");
      throw error;
    }
  });
}
