import { createHash } from "node:crypto";

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** One repository's content. Tests read and write it as they like. */
export class Repository {
  readonly name: string;
  /** By digest. */
  readonly blobs = new Map<string, Buffer>();
  /** By digest. */
  readonly manifests = new Map<string, StoredManifest>();
  /** Tag to digest. */
  readonly tags = new Map<string, string>();
  /** Q20 for this repository alone. */
  immutable = false;
  /** The repository policy, JSON text. */
  policy: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Puts a blob there as if it had been pushed; its digest. */
  addBlob(bytes: Uint8Array | string): string {
    const content = Buffer.from(bytes);
    const digest = sha256(content);
    this.blobs.set(digest, content);
    return digest;
  }

  /** Puts a manifest there as if it had been pushed, with these tags; its digest. */
  addManifest(document: object | Uint8Array, mediaType: string, ...tags: readonly string[]): string {
    const bytes =
      document instanceof Uint8Array ? Buffer.from(document) : Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    this.manifests.set(digest, { bytes, mediaType });
    for (const tag of tags) this.tags.set(tag, digest);
    return digest;
  }

  /** Whether a manifest here names the digest: only then may another repository mount it. */
  isReferenced(digest: string): boolean {
    return [...this.manifests.values()].some(({ bytes }) => bytes.includes(digest));
  }
}

/** The repositories of one account in one region. */
export class Registry {
  readonly account: string;
  readonly region: string;
  readonly repositories = new Map<string, Repository>();

  constructor(account: string, region: string) {
    this.account = account;
    this.region = region;
  }

  /** The repository of this name, made if it is missing. */
  create(name: string): Repository {
    const repository = this.repositories.get(name) ?? new Repository(name);
    this.repositories.set(name, repository);
    return repository;
  }

  arn(name: string): string {
    return `arn:aws:ecr:${this.region}:${this.account}:repository/${name}`;
  }
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
