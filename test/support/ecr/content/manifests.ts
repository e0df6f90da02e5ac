import { type Exchange, problem, type Reply, readAll } from "../http/wire.ts";
import type { EcrState, Place } from "../state.ts";
import { type Document, documentOf, refusalOf } from "./documents.ts";
import { type Repository, type StoredManifest, sha256 } from "./repositories.ts";

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Q25: the 400 of a reference outside the grammar. */
export function badReference({ quirks }: EcrState, reference: string): Reply | undefined {
  const isGood = TAG.test(reference) || DIGEST.test(reference);
  if (isGood || !quirks.strictParameters) return undefined;
  return problem(
    400,
    "TAG_INVALID",
    `Invalid parameter at 'imageTag' failed to satisfy constraint: '${TAG.source}'`,
  );
}

/** GET and HEAD. */
export function getManifest(state: EcrState, exchange: Exchange, place: Place, reference: string): Reply {
  const { repository } = place;
  const digest = repository.tags.get(reference) ?? reference;
  const stored = repository.manifests.get(digest);
  if (!stored) return problem(404, "MANIFEST_UNKNOWN", "Requested image not found");
  const isTag = digest !== reference;
  const shown = isTag && state.quirks.tagConversion ? converted(stored, exchange.headers.accept) : stored;
  return {
    status: 200,
    headers: {
      "content-type": shown.mediaType,
      "content-length": String(shown.bytes.length),
      ...digestHeader(state, sha256(shown.bytes)),
    },
    body: shown.bytes,
  };
}

/** Q17: the same manifest in the words of the other family, when only that one is accepted. Its digest is another. */
function converted(stored: StoredManifest, accept = ""): StoredManifest {
  if (accept === "" || accept.includes("*/*") || accept.includes(stored.mediaType)) return stored;
  const isDocker = stored.mediaType.includes("docker");
  const pairs = FAMILIES.map(([docker, oci]) =>
    isDocker ? { from: docker, to: oci } : { from: oci, to: docker },
  );
  const swap = (text: string) => pairs.reduce((all, { from, to }) => all.replaceAll(from, to), text);
  const mediaType = swap(stored.mediaType);
  return accept.includes(mediaType) ? { bytes: Buffer.from(swap(String(stored.bytes))), mediaType } : stored;
}

const FAMILIES: readonly (readonly [docker: string, oci: string])[] = [
  ["application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"],
  ["application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"],
  ["application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"],
];

/** PUT: refused, or stored byte for byte. */
export async function putManifest(
  state: EcrState,
  exchange: Exchange,
  place: Place,
  reference: string,
): Promise<Reply> {
  const bytes = await readAll(exchange.body);
  const document = documentOf(bytes);
  const mediaType = exchange.headers["content-type"] ?? document?.mediaType ?? "";
  const refusal =
    (state.quirks.manifestRefusals ? refusalOf(document, mediaType) : undefined) ??
    missing(state, place, document) ??
    taken(state, place, reference);
  if (refusal) return refusal;
  const digest = sha256(bytes);
  if (DIGEST.test(reference) && reference !== digest) {
    return problem(400, "DIGEST_INVALID", `The digest of the manifest is ${digest}, not ${reference}`);
  }
  place.repository.manifests.set(digest, { bytes, mediaType });
  if (reference !== digest) place.repository.tags.set(reference, digest);
  return {
    status: 201,
    headers: {
      location: `/v2/${place.repository.name}/manifests/${digest}`,
      ...digestHeader(state, digest),
      ...(document?.subject && state.quirks.referrers && { "oci-subject": document.subject }),
    },
  };
}

/** Q19, and the same for an index without its manifests. */
function missing(
  state: EcrState,
  { registry, repository }: Place,
  document: Document | undefined,
): Reply | undefined {
  const status = state.quirks.missingLayers;
  if (!document || status === false) return undefined;
  const where = `pushing image into repository with name '${repository.name}' in the registry with id '${registry.account}' do not exist`;
  const blobs = document.blobs.filter((digest) => !repository.blobs.has(digest));
  const list = (digests: readonly string[]) => `'[${digests.join(", ")}]'`;
  if (blobs.length > 0) {
    return problem(status, "BLOB_UPLOAD_UNKNOWN", `Layers with digests ${list(blobs)} required for ${where}`);
  }
  const images = document.manifests.filter((digest) => !repository.manifests.has(digest));
  if (images.length === 0) return undefined;
  return problem(
    status,
    "MANIFEST_BLOB_UNKNOWN",
    `Images with digests ${list(images)} required for ${where}`,
  );
}

/** Q20: also when it would be the same image again (containers-roadmap#2380). */
function taken(state: EcrState, { repository }: Place, reference: string): Reply | undefined {
  const isImmutable = state.quirks.immutableTags || repository.immutable;
  if (!isImmutable || !repository.tags.has(reference)) return undefined;
  const what = `The image tag '${reference}' already exists in the '${repository.name}' repository`;
  return problem(
    400,
    "TAG_INVALID",
    `${what} and cannot be overwritten because the ${repository.immutable ? "repository" : "tag"} is immutable.`,
  );
}

/** Q26. */
function digestHeader({ quirks }: EcrState, digest: string): Record<string, string> {
  return quirks.contentDigest ? { "docker-content-digest": digest } : {};
}

/** Q25: at most 1000 a page. */
export function listTags({ quirks }: EcrState, { url }: Exchange, { repository }: Place): Reply {
  const size = Number(url.searchParams.get("n") ?? 1000);
  if (quirks.strictParameters && size > 1000) {
    return problem(
      400,
      "UNSUPPORTED",
      "Invalid parameter at 'maxResults' failed to satisfy constraint: '1000'",
    );
  }
  const last = url.searchParams.get("last") ?? "";
  const tags = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const page = tags.slice(0, size);
  const next = `</v2/${repository.name}/tags/list?n=${size}&last=${page.at(-1)}>; rel="next"`;
  return {
    status: 200,
    headers: { "content-type": "application/json", ...(tags.length > size && { link: next }) },
    body: JSON.stringify({ name: repository.name, tags: page }),
  };
}

/** Q27: the index of the manifests whose subject this is; 404 where the API is not there. */
export function referrers(
  { quirks }: EcrState,
  { url }: Exchange,
  { repository }: Place,
  subject: string,
): Reply {
  if (!quirks.referrers) return problem(404, "NOT_FOUND", "no such page");
  const filter = url.searchParams.get("artifactType");
  const manifests = referring(repository, subject).filter(
    (found) => !filter || found.artifactType === filter,
  );
  const mediaType = "application/vnd.oci.image.index.v1+json";
  return {
    status: 200,
    headers: { "content-type": mediaType, ...(filter && { "oci-filters-applied": "artifactType" }) },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  };
}

function referring(repository: Repository, subject: string) {
  return [...repository.manifests].flatMap(([digest, { bytes, mediaType }]) => {
    const document = documentOf(bytes);
    if (document?.subject !== subject) return [];
    return [{ mediaType, digest, size: bytes.length, artifactType: document.artifactType }];
  });
}
