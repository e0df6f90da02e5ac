import { type Digest, digestOf, isDigest } from "../../../src/oci/digest.ts";
import { type Answer, missingBlobs, problem } from "./answer.ts";
import type { Seen } from "./request.ts";

export interface StoredManifest {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What a registry keeps, by repository, in memory. */
export class Storage {
  readonly #blobs = new Map<string, Map<string, Buffer>>();
  readonly #manifests = new Map<string, Map<string, StoredManifest>>();
  readonly #tags = new Map<string, Map<string, Digest>>();

  blob(repository: string, digest: string): Buffer | undefined {
    return this.#blobs.get(repository)?.get(digest);
  }

  addBlob(repository: string, bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    repositoryIn(this.#blobs, repository).set(digest, Buffer.from(bytes));
    return digest;
  }

  removeBlob(repository: string, digest: string): void {
    this.#blobs.get(repository)?.delete(digest);
  }

  manifest(repository: string, reference: string): Buffer | undefined {
    return this.findManifest(repository, reference)?.bytes;
  }

  findManifest(repository: string, reference: string): StoredManifest | undefined {
    const digest = isDigest(reference) ? reference : this.tag(repository, reference);
    return digest === undefined ? undefined : this.#manifests.get(repository)?.get(digest);
  }

  /** The digest a tag names. */
  tag(repository: string, tag: string): Digest | undefined {
    return this.#tags.get(repository)?.get(tag);
  }

  tagsOf(repository: string): readonly string[] {
    return [...(this.#tags.get(repository)?.keys() ?? [])];
  }

  addManifest(repository: string, type: string, content: unknown, ...tags: readonly string[]): Digest {
    const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    repositoryIn(this.#manifests, repository).set(digest, { type, bytes });
    for (const tag of tags) repositoryIn(this.#tags, repository).set(tag, digest);
    return digest;
  }
}

function repositoryIn<V>(map: Map<string, Map<string, V>>, repository: string): Map<string, V> {
  const inner = map.get(repository) ?? new Map<string, V>();
  map.set(repository, inner);
  return inner;
}

export function getManifest(storage: Storage, { repository, reference, headers }: Seen): Answer {
  const found = storage.findManifest(repository, reference);
  // A registry hides what was not asked for (distribution 2.8 and 3, olareg).
  if (!found || !(headers.accept ?? "").includes(found.type))
    return problem(404, "MANIFEST_UNKNOWN", "manifest unknown");
  return {
    status: 200,
    headers: {
      "content-type": found.type,
      "docker-content-digest": digestOf(found.bytes),
      "content-length": String(found.bytes.length),
    },
    body: found.bytes,
  };
}

interface ManifestDocument {
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

export function putManifest(
  storage: Storage,
  { repository, reference, headers }: Seen,
  bytes: Buffer,
  immutableTags: boolean,
): Answer {
  if (bytes.length > 4 * 1024 * 1024) return problem(400, "MANIFEST_INVALID", "request body too large");
  const document = parse(bytes);
  const type = headers["content-type"] ?? "";
  if (!document || (document.mediaType !== undefined && document.mediaType !== type))
    return problem(400, "MANIFEST_INVALID", "manifest invalid");
  const digest = digestOf(bytes);
  if (isDigest(reference) && reference !== digest)
    return problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  const named = [document.config, ...(document.layers ?? [])].flatMap((part) => part?.digest ?? []);
  const missing = named.filter((part) => storage.blob(repository, part) === undefined);
  if (missing.length > 0) return missingBlobs(missing);
  if (immutableTags && !isDigest(reference) && storage.tag(repository, reference) !== undefined) {
    return problem(
      400,
      "TAG_INVALID",
      `The image tag '${reference}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
    );
  }
  storage.addManifest(repository, type, bytes, ...(isDigest(reference) ? [] : [reference]));
  return {
    status: 201,
    headers: { "docker-content-digest": digest, location: `/v2/${repository}/manifests/${digest}` },
  };
}

function parse(bytes: Buffer): ManifestDocument | undefined {
  try {
    return JSON.parse(bytes.toString("utf8")) as ManifestDocument;
  } catch {
    return undefined;
  }
}
