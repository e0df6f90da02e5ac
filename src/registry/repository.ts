import { type Pacing, REAL_PACING } from "../async/pacing.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { type Content, readAll } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { resolveImage } from "../oci/resolve.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import { createAuthorizer } from "./auth/authorizer.ts";
import type { CredentialSource } from "./auth/credentials.ts";
import { blobContent, headBlob } from "./blobs.ts";
import { createClient, type RegistryClient } from "./client.ts";
import { RETRY_POLICY, type RetryPolicy } from "./errors/retry.ts";
import { type BlobHolders, createHolders } from "./holders.ts";
import { schemeOf } from "./http/address.ts";
import type { Environment } from "./http/agent.ts";
import { createHttp, type Http, type Timeouts } from "./http/http.ts";
import { getManifest, headManifest, isManifest, manifestContent, putManifest } from "./manifests.ts";
import { traitsOf } from "./traits.ts";
import { createUploads } from "./upload.ts";

/**
 * Where an image is that names another registry. `registry` is undefined for one on this machine.
 */
export interface ImageOrigin {
  readonly registry: string | undefined;
}

export interface RepositoryOptions {
  /** Host and port as a reference names it; `docker.io` is Docker Hub. */
  readonly registry: string;
  readonly repository: string;
  /**
   * Set where no user named the registry but an image did. It is then reached as a redirect of the
   * image's registry would be.
   */
  readonly namedBy?: ImageOrigin | undefined;
  readonly credentials: CredentialSource;
  readonly environment: Environment;
  /** Hosts that are reached over http, beside loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Blobs in flight at once, for which there are connections enough. Default 6. */
  readonly jobs?: number | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Hosts of token servers that may have the credentials of the registry. */
  readonly trustedRealms?: readonly string[] | undefined;
  /**
   * Hosts, and all below them, that the registry may lead to although their addresses are private.
   */
  readonly privateHosts?: readonly string[] | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Shared by the repositories of one run. */
  readonly holders?: BlobHolders | undefined;
  readonly pacing?: Pacing | undefined;
  readonly policy?: RetryPolicy | undefined;
}

/** A repository of a registry: as a source and as a sink. */
export interface Repository extends ImageSource, ImageSink {}

const MINUTE = 60_000;

/** Opens a repository. The first request makes the first connection. */
export function openRepository(options: RepositoryOptions): Repository {
  const { registry, repository, environment, insecureRegistries, onEvent, jobs = 6 } = options;
  const { pacing = REAL_PACING, policy = RETRY_POLICY, timeouts } = options;
  const { privateHosts } = options;
  const open = createHttp({
    ...{ environment, onEvent, insecureRegistries, privateHosts, timeouts },
    connections: jobs + 2,
  });
  const http = options.namedBy ? sentBy(open, originOf(options.namedBy, insecureRegistries)) : open;
  const base = baseOf(registry, insecureRegistries);
  const traits = traitsOf(registry);
  const scheme = traits.usesBasic ? ({ kind: "basic" } as const) : undefined;
  const tokenMs = Math.max(MINUTE, (timeouts?.answerMs ?? 0) / 2);
  const authorizer = createAuthorizer({ ...options, base, http, scheme, tokenMs });
  const client = createClient({
    registry,
    repository,
    base,
    http,
    authorizer,
    traits,
    pacing,
    policy,
    onEvent,
  });
  return repositoryOf(client, () => http.close(), options.holders);
}

/**
 * What an image on this machine may lead to: public addresses over https. The name resolves nowhere
 * (RFC 6761 6.4).
 */
const THIS_MACHINE = new URL("https://image.invalid");

function originOf({ registry }: ImageOrigin, insecureRegistries: readonly string[] | undefined): URL {
  return registry === undefined ? THIS_MACHINE : baseOf(registry, insecureRegistries);
}

/** Holds every request to what an answer of `from` may lead to (address.ts). */
function sentBy(http: Http, from: URL): Http {
  return { ...http, send: (request) => http.send({ ...request, from: request.from ?? from }) };
}

/** Returns the repository that `client` talks to; `end` is called when it is closed. */
export function repositoryOf(
  client: RegistryClient,
  end: () => void,
  holders: BlobHolders = createHolders(),
): Repository {
  const uploads = createUploads(client, holders);
  // What each tag was found to name, so that publishing does not ask again.
  const found = new Map<string, Digest | undefined>();
  return {
    name: client.name,
    async pull(reference = "latest", platform, signal) {
      const top = await getManifest(client, reference, signal);
      return resolveImage(top, (descriptor) => open(client, descriptor), platform, signal);
    },
    async find(reference = "latest", signal) {
      const top = await getManifest(client, reference, signal);
      return { top, open: (descriptor) => open(client, descriptor), written: true };
    },
    async isPublished({ digest }, tags, signal) {
      for (const reference of namesFor(digest, tags)) {
        found.set(reference, await headManifest(client, reference, signal));
        if (found.get(reference) !== digest) return false;
      }
      return true;
    },
    async has(descriptor, signal) {
      if (!isManifest(descriptor)) {
        const isThere = await headBlob(client, descriptor, signal);
        if (isThere) holders.hold(client, descriptor.digest);
        return isThere;
      }
      return (await headManifest(client, descriptor.digest, signal)) === descriptor.digest;
    },
    put: uploads.put,
    sendAhead: uploads.sendAhead,
    async publish(manifest, tags, signal) {
      try {
        await publish(client, { manifest, tags, found }, signal);
      } catch (error) {
        if (error instanceof LambdaPackError && error.code === "BLOBS_MISSING")
          uploads.distrust(error.answer?.missing ?? []);
        throw error;
      }
    },
    async close() {
      await uploads.close();
      end();
    },
  };
}

/** The pull host of docker.io is another one (distribution/reference, docker/cli). */
function baseOf(registry: string, insecureRegistries: readonly string[] | undefined): URL {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return new URL(`${schemeOf(registry, insecureRegistries)}//${host}`);
}

function open(client: RegistryClient, descriptor: Content["descriptor"]): Content {
  return isManifest(descriptor) ? manifestContent(client, descriptor) : blobContent(client, descriptor);
}

function namesFor(digest: Digest, tags: readonly string[]): readonly string[] {
  return tags.length === 0 ? [digest] : tags;
}

interface Publication {
  readonly manifest: Content;
  readonly tags: readonly string[];
  /** What tags were found to name; each is believed once. */
  readonly found: Map<string, Digest | undefined>;
}

/**
 * Writes one tag after the other, at the pace the registry allows; a tag that names the manifest
 * already is left alone.
 */
async function publish(
  client: RegistryClient,
  { manifest, tags, found }: Publication,
  signal?: AbortSignal,
): Promise<void> {
  const { descriptor } = manifest;
  const bytes = await readAll(manifest, signal);
  let written = false;
  for (const reference of namesFor(descriptor.digest, tags)) {
    const isKnown = found.has(reference);
    const named = isKnown ? found.get(reference) : await headManifest(client, reference, signal);
    found.delete(reference);
    if (named === descriptor.digest) continue;
    if (written) await client.pacing.sleep(client.traits.publishEveryMs, signal);
    await putManifest(client, { descriptor, bytes }, reference, signal);
    written = true;
  }
}
