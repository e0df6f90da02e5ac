import { type Pacing, REAL_PACING } from "../async/retry.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { type Descriptor, readAll } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { imageSource } from "../oci/resolve.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import { Authorizer } from "./auth/authorizer.ts";
import type { CredentialSource } from "./auth/credentials.ts";
import { blobContent, headBlob } from "./blobs.ts";
import { createClient, type RegistryClient } from "./client.ts";
import { RETRY_POLICY, type RetryPolicy } from "./errors/retry.ts";
import { createThrottles, type Throttles } from "./errors/throttle.ts";
import { BlobHolders } from "./holders.ts";
import { schemeOf } from "./http/address.ts";
import type { Environment } from "./http/agent.ts";
import { createHttp, type Http, type Timeouts } from "./http/http.ts";
import { getManifest, headManifest, isManifest, manifestContent, putManifest } from "./manifests.ts";
import { traitsOf } from "./traits.ts";
import { createUploads } from "./upload.ts";

/** The location of an image that names another registry; undefined means this machine. */
export interface ImageOrigin {
  readonly registry: string | undefined;
}

export interface RepositoryOptions {
  /** Host and port as in a reference; `docker.io` is Docker Hub. */
  readonly registry: string;
  readonly repository: string;
  /**
   * Set if an image and not the user named the registry. Requests are then checked like a redirect
   * by the image's registry.
   */
  readonly namedBy?: ImageOrigin | undefined;
  readonly credentials: CredentialSource;
  readonly environment: Environment;
  /** Hosts that are reached over http, in addition to loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** How many blobs are transferred at once. Default 6. */
  readonly jobs?: number | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Hosts of token servers to which the registry's credentials may be sent. */
  readonly trustedRealms?: readonly string[] | undefined;
  /** Hosts, with their subdomains, whose private addresses the registry may lead to. */
  readonly privateHosts?: readonly string[] | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Shared by the repositories of one run. */
  readonly holders?: BlobHolders | undefined;
  /** Shared by the repositories of one run. */
  readonly throttles?: Throttles | undefined;
  readonly pacing?: Pacing | undefined;
  readonly policy?: RetryPolicy | undefined;
}

/** A repository of a registry: a source and a sink of images. */
export interface Repository extends ImageSource, ImageSink {}

const MINUTE = 60_000;

/** Opens a repository. It connects at the first request. */
export function openRepository(options: RepositoryOptions): Repository {
  const { registry, environment, insecureRegistries, onEvent, jobs = 6 } = options;
  const { pacing = REAL_PACING, policy = RETRY_POLICY, timeouts } = options;
  const { privateHosts, throttles = createThrottles(pacing) } = options;
  const open = createHttp({
    ...{ environment, onEvent, insecureRegistries, privateHosts, timeouts },
    connections: jobs + 2,
  });
  const http = options.namedBy ? sentBy(open, originOf(options.namedBy, insecureRegistries)) : open;
  const base = baseOf(registry, insecureRegistries);
  const traits = traitsOf(registry);
  const scheme = traits.usesBasic ? ({ kind: "basic" } as const) : undefined;
  const tokenMs = Math.max(MINUTE, (timeouts?.answerMs ?? 0) / 2);
  const authorizer = new Authorizer({ ...options, base, http, scheme, tokenMs });
  const throttle = throttles(base.host);
  const client = createClient({ ...options, base, http, authorizer, traits, pacing, policy, throttle });
  return repositoryOf(client, () => http.close(), options.holders);
}

/**
 * Stands for the registry of an image on this machine, which may lead only to public addresses over
 * https. The name never resolves (RFC 6761 6.4).
 */
const THIS_MACHINE = new URL("https://image.invalid");

function originOf({ registry }: ImageOrigin, insecureRegistries: readonly string[] | undefined): URL {
  return registry === undefined ? THIS_MACHINE : baseOf(registry, insecureRegistries);
}

/** Restricts every request to where an answer of `from` may lead (lookup.ts). */
function sentBy(http: Http, from: URL): Http {
  return { ...http, send: (request) => http.send({ ...request, from: request.from ?? from }) };
}

/** Returns the repository of `client`; `end` is called when it is closed. */
export function repositoryOf(
  client: RegistryClient,
  end: () => void,
  holders: BlobHolders = new BlobHolders(),
): Repository {
  const uploads = createUploads(client, holders);
  // The digest that each tag names, so that `publish` does not have to request it again.
  const found = new Map<string, Digest | undefined>();
  const distrustMissing = (error: unknown): never => {
    if (hasCode(error, "BLOBS_MISSING") && error instanceof LambdaPackError)
      uploads.distrust(error.answer?.missing ?? []);
    throw error;
  };
  return {
    ...imageSource(client.name, async (reference = "latest", signal) => {
      const top = await getManifest(client, reference, signal);
      const open = (descriptor: Descriptor) =>
        isManifest(descriptor) ? manifestContent(client, descriptor) : blobContent(client, descriptor);
      return { top, open, written: true };
    }),
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
    /** Writes the tags one after the other, at the rate that the registry allows. */
    async publish(manifest, tags, signal) {
      const { descriptor } = manifest;
      const bytes = await readAll(manifest, signal);
      let isFirst = true;
      for (const reference of namesFor(descriptor.digest, tags)) {
        const isKnown = found.has(reference);
        const named = isKnown ? found.get(reference) : await headManifest(client, reference, signal);
        found.delete(reference); // another process may move the tag
        if (named === descriptor.digest) continue;
        if (!isFirst) await client.pacing.sleep(client.traits.publishEveryMs, signal);
        isFirst = false;
        await putManifest(client, { descriptor, bytes }, reference, signal).catch(distrustMissing);
      }
    },
    async close() {
      await uploads.close();
      end();
    },
  };
}

/** docker.io serves images at another host (distribution/reference, docker/cli). */
function baseOf(registry: string, insecureRegistries: readonly string[] | undefined): URL {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return new URL(`${schemeOf(registry, insecureRegistries)}//${host}`);
}

function namesFor(digest: Digest, tags: readonly string[]): readonly string[] {
  return tags.length === 0 ? [digest] : tags;
}
