const MiB = 1024 * 1024;

/**
 * What a registry does in its own way. Data: the protocol code asks, it never looks at a host name.
 */
export interface RegistryTraits {
  readonly name:
    | "ecr"
    | "ecr-public"
    | "ghcr"
    | "artifact-registry"
    | "acr"
    | "docker-hub"
    | "quay"
    | "plain";
  /**
   * Blobs up to this go in one PUT, larger ones in PATCHes of `chunkSize`. Infinity: always one
   * PUT.
   */
  readonly wholeUpTo: number;
  /** Bytes of one PATCH; the rest goes with the closing PUT. */
  readonly chunkSize: number;
  /**
   * Every chunk but the last must have at least this many bytes, whatever the registry announces.
   */
  readonly minChunk: number;
  /** The `Range` that answers a PATCH tells what is stored. */
  readonly trustsRange: boolean;
  /**
   * What to do when a request of an upload was cut: `ask` what is stored (GET on the upload tells
   * the truth), `go-on` at the last known byte (a wrong one is answered by a 416 that names the
   * right one), or `restart` with a new session.
   */
  readonly afterCut: "ask" | "go-on" | "restart";
  /** HEAD on a blob tells whether it is there. */
  readonly headsBlobs: boolean;
  /** A blob of another repository can be mounted. */
  readonly mounts: boolean;
  /** Between two manifest PUTs. */
  readonly publishEveryMs: number;
  /**
   * Closes the connection without an answer to POST when the repository is missing or the caller
   * may not push.
   */
  readonly hangsUp: boolean;
  /**
   * Takes Basic credentials: they are sent with the first request, before the registry asks for
   * them.
   */
  readonly usesBasic: boolean;
}

/**
 * distribution and what is built on it. One PUT of the whole is the fastest way in: it saves the
 * round trip and the commit of each PATCH (chunks of 32 MiB take a quarter longer). Chunks would
 * save nothing after a cut: where it leaves the session (distribution 3), what arrived of a PUT
 * stays too; where it kills the session (distribution 2.8), it kills a chunked one as well. Larger
 * blobs go in chunks, for the sake of proxies that limit or buffer a request. status: true after a
 * cut on distribution 3, olareg, zot; "404, gone" on 2.8 (measured, real-components part 2).
 */
const PLAIN: RegistryTraits = {
  name: "plain",
  wholeUpTo: 1024 * MiB,
  chunkSize: 32 * MiB,
  minChunk: 0,
  trustsRange: true,
  afterCut: "ask",
  headsBlobs: true,
  mounts: true,
  publishEveryMs: 0,
  hangsUp: false,
  usesBasic: false,
};

/**
 * Parts but the last >= 5 MiB (dotnet/sdk-container-builds#424). `Range` freezes at the first
 * boundary (aws/containers-roadmap#2831). GET on an upload was never seen to be answered, so it is
 * not sent: the 416 tells the offset (apple/containerization#790). Mounts since January 2026 as an
 * account setting; where it is off, the 202 is a usable session (aws/containers-roadmap#2860).
 * PutImage is limited to 10 a second for the account (ECR service quotas). POST without repository
 * or permission is hung up on (aws/containers-roadmap#1970).
 */
const ECR: RegistryTraits = {
  ...PLAIN,
  name: "ecr",
  wholeUpTo: 64 * MiB,
  minChunk: 5 * MiB,
  trustsRange: false,
  afterCut: "go-on",
  publishEveryMs: 125,
  hangsUp: true,
  usesBasic: true,
};

/**
 * HEAD on a blob is 401 or 403 always (aws/containers-roadmap#2671), mounts fail
 * (aws/containers-roadmap#1459).
 */
const ECR_PUBLIC: RegistryTraits = {
  ...ECR,
  name: "ecr-public",
  headsBlobs: false,
  mounts: false,
  usesBasic: false,
};

/** A second PATCH overwrites the first (ocync, docs on registries): one PUT only. */
const GHCR: RegistryTraits = {
  ...PLAIN,
  name: "ghcr",
  wholeUpTo: Number.POSITIVE_INFINITY,
  afterCut: "restart",
};

/** Chunked PATCH is not supported (ocync, docs on registries): one PUT only. */
const ARTIFACT_REGISTRY: RegistryTraits = {
  ...PLAIN,
  name: "artifact-registry",
  wholeUpTo: Number.POSITIVE_INFINITY,
  afterCut: "restart",
};

/**
 * Bodies above about 20 MB are cut (ocync); a dropped session answers 404 BLOB_UPLOAD_INVALID
 * (Azure/azure-sdk-for-js#25448).
 */
const ACR: RegistryTraits = {
  ...PLAIN,
  name: "acr",
  wholeUpTo: 16 * MiB,
  chunkSize: 16 * MiB,
  afterCut: "restart",
};

/**
 * Distribution behind a CDN; status after a cut was never seen answered truly, so it is not asked.
 */
const DOCKER_HUB: RegistryTraits = {
  ...PLAIN,
  name: "docker-hub",
  wholeUpTo: 64 * MiB,
  afterCut: "restart",
};

/**
 * `mount` without `from` is a 400 there; we always name `from`. Its own code base, status not
 * known: not asked.
 */
const QUAY: RegistryTraits = { ...PLAIN, name: "quay", wholeUpTo: 64 * MiB, afterCut: "restart" };

/**
 * Anchored at both ends: `…amazonaws.com.example.org` is not ECR (amazon-ecr-credential-helper,
 * api/client.go).
 */
const ECR_HOST =
  /^\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9][a-z0-9-_]*\.(amazonaws\.(com(\.cn)?|eu)|on\.(aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

const HOSTS: readonly (readonly [RegExp, RegistryTraits])[] = [
  [ECR_HOST, ECR],
  [/^(public\.ecr\.aws|ecr-public\.aws\.com)$/, ECR_PUBLIC],
  [/^ghcr\.io$/, GHCR],
  [/^([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)$/, ARTIFACT_REGISTRY],
  [/^[a-z0-9-]+\.azurecr\.(io|cn|us)$/, ACR],
  [/^(docker\.io|index\.docker\.io|registry-1\.docker\.io)$/, DOCKER_HUB],
  [/^quay\.io$/, QUAY],
];

/** The ways of a registry, by the host (and port) that a reference names. */
export function traitsOf(registry: string): RegistryTraits {
  const host = registry.toLowerCase().replace(/:443$/, "");
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? PLAIN;
}
