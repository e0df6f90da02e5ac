import { LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { Call, RegistryClient } from "./client.ts";
import { damaged } from "./errors/refusal.ts";
import type { HttpBody, HttpResponse } from "./http/http.ts";
import { minimumChunk, storedBytes } from "./upload-refusal.ts";

/**
 * One upload of one blob (distribution-spec end-4a to end-6, end-11, end-13, end-14). Every method
 * makes one request and leaves retries to its caller.
 */
export interface UploadSession {
  /** Minimum size in bytes of every chunk but the last. */
  readonly minChunk: number;
  /** Sends a chunk that is not the last. Returns the number of stored bytes, if it is known. */
  write(body: HttpBody, from: number, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Sends the rest (the whole blob when `from` is 0) and ends the session; the repository then has
   * the blob.
   */
  commit(descriptor: Descriptor, body: HttpBody, from: number, signal?: AbortSignal): Promise<void>;
  /**
   * Returns how many bytes are stored, `gone` when the registry does not know the session,
   * undefined when it does not say.
   */
  status(signal?: AbortSignal): Promise<number | "gone" | undefined>;
  /** Asks the registry once to delete the upload. A failure is ignored. */
  abort(signal: AbortSignal): Promise<void>;
}

/** The largest minimum that a registry may ask for, in bytes (regclient's limit). */
const MAX_MIN_CHUNK = 1024 * 1024 * 1024;

const NOT_TO_SPEC =
  "that is not the distribution protocol: something in front of the registry may change its answers; --verbose shows them for its operator";

/**
 * Mounts the blob from repository `from` of the same registry, or starts an upload if `from` is
 * undefined or the mount is refused.
 */
export async function mountOrStart(
  client: RegistryClient,
  { digest }: Descriptor,
  from: string | undefined,
  signal?: AbortSignal,
): Promise<UploadSession | "mounted"> {
  if (from === undefined) return startUpload(client, digest, signal);
  try {
    return await mount(client, digest, from, signal);
  } catch (error) {
    if (!isMountRefused(error)) throw error;
    return startUpload(client, digest, signal);
  }
}

/**
 * Returns whether a mount was refused where an upload may be allowed: by the registry (Quay: 400,
 * Artifactory) or by its token server, which denies the scope for `from`
 * (containerd/containerd#11709).
 */
function isMountRefused(error: unknown): boolean {
  return error instanceof LambdaPackError && [400, 401, 403, 404, 405].includes(error.answer?.status ?? 0);
}

/** A 202 means that the registry has started an upload instead. */
async function mount(client: RegistryClient, digest: Digest, from: string, signal?: AbortSignal) {
  const url = client.url("blobs/uploads/");
  url.searchParams.set("mount", digest);
  url.searchParams.set("from", from);
  const response = await client.once({ ...starting(url, digest, signal), answers: [201, 202], from });
  return response.status === 201 ? mounted(response) : opened(client, response, digest);
}

function mounted(response: HttpResponse): "mounted" {
  response.discard();
  return "mounted";
}

/** Starts an upload. `subject` names in messages what is sent. */
export async function startUpload(
  client: RegistryClient,
  subject: string,
  signal?: AbortSignal,
): Promise<UploadSession> {
  const call = starting(client.url("blobs/uploads/"), subject, signal);
  return opened(client, await client.once({ ...call, answers: [202] }), subject);
}

function starting(url: URL, subject: string, signal: AbortSignal | undefined) {
  return {
    method: "POST",
    url,
    headers: { "content-length": "0" },
    action: "start an upload",
    subject,
    signal,
  } as const;
}

function opened(client: RegistryClient, response: HttpResponse, subject: string): UploadSession {
  response.discard();
  const asked = minimumChunk(response.header("oci-chunk-min-length"));
  if (!(asked <= MAX_MIN_CHUNK)) throw tooLargeChunks(client, response);
  const minChunk = Math.max(asked, client.traits.minChunk);
  return openSession(client, subject, locationOf(client, response), minChunk);
}

function tooLargeChunks({ name }: RegistryClient, response: HttpResponse): LambdaPackError {
  const asked = JSON.stringify(response.header("oci-chunk-min-length"));
  return new LambdaPackError(
    "REGISTRY_ANSWER",
    `${name} wants chunks of at least ${asked} bytes, more than the ${MAX_MIN_CHUNK} that are sent`,
    { hint: NOT_TO_SPEC },
  );
}

/**
 * Returns the upload's URL, which may be absolute or relative, on another host, and with a query
 * that must be kept (distribution-spec, "Pushing blobs").
 */
function locationOf(client: RegistryClient, response: HttpResponse): URL {
  const location = response.header("location");
  if (location !== undefined) return client.follow(location, response.url);
  throw new LambdaPackError(
    "REGISTRY_ANSWER",
    `${client.name} started an upload and did not say where (no Location)`,
    { hint: NOT_TO_SPEC },
  );
}

function openSession(client: RegistryClient, subject: string, first: URL, minChunk: number): UploadSession {
  let location = first;

  const call = (method: Call["method"], action: Call["action"], signal?: AbortSignal) =>
    ({ method, action, url: location, subject, signal }) as const;
  // distribution encodes the offset in the Location, so only the latest one is valid.
  const moveOn = (response: HttpResponse) => {
    response.discard();
    if (response.header("location") !== undefined) location = locationOf(client, response);
  };

  return {
    minChunk,
    async write(body, from, signal) {
      const response = await client.once({
        ...call("PATCH", "send the blob", signal),
        headers: octets({ "content-range": `${from}-${from + body.length - 1}` }),
        body,
        // ECR answers 201 where the specification says 202 (containers-roadmap#2831), ggcr and Pulp
        // 204.
        answers: [201, 202, 204],
      });
      moveOn(response);
      return storedBytes(response.header("range"));
    },
    async commit(descriptor, body, from, signal) {
      const { digest, size } = descriptor;
      const url = withDigest(location, digest);
      const range = from > 0 && from < size ? { "content-range": `${from}-${size - 1}` } : {};
      const response = await client.once({
        ...call("PUT", "finish the blob", signal),
        url,
        headers: octets(range),
        body,
        // distribution on S3 copies and hashes the whole blob before it answers.
        commits: true,
        answers: [200, 201, 204],
      });
      response.discard();
      confirm(client, response, descriptor);
    },
    async status(signal) {
      const response = await client.once({
        ...call("GET", "send the blob", signal),
        answers: [200, 204, 400, 404, 405, 501],
      });
      moveOn(response);
      if (response.status === 400 || response.status === 404) return "gone";
      return response.status === 204 ? storedBytes(response.header("range")) : undefined;
    },
    async abort(signal) {
      const request = client.once({ ...call("DELETE", "send the blob", signal), answers: [200, 202, 204] });
      // The registry ends an abandoned session after a while; the error to report is the one that
      // stopped the push.
      await request.then((response) => response.discard()).catch(() => undefined);
    },
  };
}

interface PartWatch extends Pick<HttpBody, "onSent"> {
  readonly signal: AbortSignal | undefined;
  /** Called when the content cannot be read, or is shorter than its descriptor says. */
  readonly onBroken: () => void;
}

/** Returns the bytes of a content from `from` up to but not including `end`, as a request body. */
export function partOf(
  content: Content,
  from: number,
  end: number,
  { signal, onBroken, onSent }: PartWatch,
): HttpBody {
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    let left = end - from;
    if (left === 0) return;
    try {
      for await (const chunk of content.read(from, signal)) {
        yield chunk.length <= left ? chunk : chunk.subarray(0, left);
        left -= chunk.length;
        if (left <= 0) return;
      }
    } catch (error) {
      onBroken();
      throw error;
    }
    onBroken(); // the request ends with the wrong length
  }
  return { length: end - from, read, onSent };
}

/**
 * Adds the digest and keeps the query as the registry wrote it: it may be signed
 * (distribution-spec, "Pushing blobs").
 */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location);
  const query = url.search.replace(/^\?/, "");
  url.search = `${query}${query === "" ? "" : "&"}digest=${encodeURIComponent(digest)}`;
  return url;
}

function octets(range: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { "content-type": "application/octet-stream", ...range };
}

function confirm({ name }: RegistryClient, response: HttpResponse, { digest }: Descriptor): void {
  const told = response.header("docker-content-digest");
  if (told === undefined || !isDigest(told) || told === digest) return;
  throw damaged(`${name} stored ${told} where ${digest} was sent`);
}
