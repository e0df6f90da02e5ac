const MiB = 1024 * 1024;

/** How a registry differs from others. The protocol code reads this, never the host name. */
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
   * Blobs of up to this many bytes are sent in one PUT, larger ones in PATCH requests of
   * `chunkSize`. Infinity: always one PUT.
   */
  readonly wholeUpTo: number;
  /** Bytes in one PATCH; the closing PUT sends the rest. */
  readonly chunkSize: number;
  /** Minimum bytes of every chunk but the last, even if the registry announces fewer. */
  readonly minChunk: number;
  /** The `Range` header in the answer to a PATCH is reliable. */
  readonly trustsRange: boolean;
  /**
   * What to do when the connection breaks during an upload: `ask` the registry what is stored (its
   * answer to GET on the upload is reliable), `go-on` at the last acknowledged byte (if that is
   * wrong, a 416 names the right one), or `restart` with a new session.
   */
  readonly afterCut: "ask" | "go-on" | "restart";
  /** HEAD on a blob says whether it exists. */
  readonly supportsBlobHead: boolean;
  /** Blobs can be mounted from another repository. */
  readonly mounts: boolean;
  /** Minimum time between two manifest PUTs, in milliseconds. */
  readonly publishEveryMs: number;
  /**
   * The registry closes the connection instead of answering a POST when the repository does not
   * exist or the caller may not push.
   */
  readonly closesInsteadOfAnswering: boolean;
  /** The registry accepts Basic credentials: they are sent before it asks. */
  readonly usesBasic: boolean;
}

/**
 * The distribution registry and those built on it. One PUT of the whole blob is the fastest: it
 * saves the round trip and the commit of each PATCH (chunks of 32 MiB take a quarter longer).
 * Chunks would save nothing after a broken connection: distribution 3 keeps the session and what
 * has arrived of a PUT; distribution 2.8 loses the session of a chunked upload as well. Larger
 * blobs are sent in chunks because some proxies limit or buffer requests. The upload status after a
 * broken connection is correct on distribution 3, olareg and zot; 2.8 answers 404 (measured).
 */
const PLAIN: RegistryTraits = {
  name: "plain",
  wholeUpTo: 1024 * MiB,
  chunkSize: 32 * MiB,
  minChunk: 0,
  trustsRange: true,
  afterCut: "ask",
  supportsBlobHead: true,
  mounts: true,
  publishEveryMs: 0,
  closesInsteadOfAnswering: false,
  usesBasic: false,
};

/**
 * Every chunk but the last needs 5 MiB (dotnet/sdk-container-builds#424). `Range` stays at the
 * first chunk boundary (aws/containers-roadmap#2831). No answer to GET on an upload was ever seen,
 * so it is not sent: the 416 names the offset (apple/containerization#790). Mounting is an account
 * setting since January 2026; where it is off, the 202 starts a usable session
 * (aws/containers-roadmap#2860). PutImage is limited to 10 per second and account (ECR service
 * quotas). ECR closes the connection on a POST without an existing repository or permission
 * (aws/containers-roadmap#1970).
 */
const ECR: RegistryTraits = {
  ...PLAIN,
  name: "ecr",
  wholeUpTo: 64 * MiB,
  minChunk: 5 * MiB,
  trustsRange: false,
  afterCut: "go-on",
  publishEveryMs: 125,
  closesInsteadOfAnswering: true,
  usesBasic: true,
};

/**
 * HEAD on a blob always answers 401 or 403 (aws/containers-roadmap#2671), and mounts fail
 * (aws/containers-roadmap#1459).
 */
const ECR_PUBLIC: RegistryTraits = {
  ...ECR,
  name: "ecr-public",
  supportsBlobHead: false,
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
const ARTIFACT_REGISTRY: RegistryTraits = { ...GHCR, name: "artifact-registry" };

/**
 * Request bodies above about 20 MB are cut off (ocync); a lost session answers 404
 * BLOB_UPLOAD_INVALID (Azure/azure-sdk-for-js#25448).
 */
const ACR: RegistryTraits = {
  ...PLAIN,
  name: "acr",
  wholeUpTo: 16 * MiB,
  chunkSize: 16 * MiB,
  afterCut: "restart",
};

/**
 * Distribution behind a CDN. Its upload status after a broken connection has not been seen to be
 * correct, so it is not requested.
 */
const DOCKER_HUB: RegistryTraits = { ...PLAIN, name: "docker-hub", wholeUpTo: 64 * MiB, afterCut: "restart" };

/**
 * Quay answers 400 to `mount` without `from`, which is always sent. It is not known whether its
 * upload status is correct, so it is not requested.
 */
const QUAY: RegistryTraits = { ...DOCKER_HUB, name: "quay" };

/**
 * Matches the host of a private ECR registry: account, `.` or `-` (dual stack), FIPS, region. It
 * is anchored at both ends, because `….amazonaws.com.example.org` must not get a login
 * (amazon-ecr-credential-helper, api/client.go).
 */
export const ECR_HOST =
  /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-zA-Z0-9][a-zA-Z0-9-_]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

const HOSTS: readonly (readonly [RegExp, RegistryTraits])[] = [
  [ECR_HOST, ECR],
  [/^(public\.ecr\.aws|ecr-public\.aws\.com)$/, ECR_PUBLIC],
  [/^ghcr\.io$/, GHCR],
  [/^([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)$/, ARTIFACT_REGISTRY],
  [/^[a-z0-9-]+\.azurecr\.(io|cn|us)$/, ACR],
  [/^(docker\.io|index\.docker\.io|registry-1\.docker\.io)$/, DOCKER_HUB],
  [/^quay\.io$/, QUAY],
];

/** Returns the traits of the registry at this host (and port). */
export function traitsOf(registry: string): RegistryTraits {
  const host = registry.toLowerCase().replace(/:443$/, "");
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? PLAIN;
}
