import { LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { checkStored } from "./blobs.ts";
import type { Call, RegistryClient } from "./client.ts";
import { attemptsFor } from "./errors/retry.ts";
import type { HttpBody, HttpResponse } from "./http/http.ts";
import { lookUp } from "./look-up.ts";
import { minimumChunk, storedBytes } from "./upload-refusal.ts";

/** The largest minimum that a registry may ask for, in bytes (regclient's limit). */
const MAX_MIN_CHUNK = 1024 * 1024 * 1024;

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
  const url = client.url("blobs/uploads/");
  url.searchParams.set("mount", digest);
  url.searchParams.set("from", from);
  try {
    const response = await client.once({ ...starting(url, digest, signal), answers: [201, 202], from });
    // With a 202 the registry has started an upload instead.
    if (response.status === 202) return new UploadSession(client, digest, response);
    response.discard();
    return "mounted";
  } catch (error) {
    if (!isMountRefused(error)) throw error;
    return startUpload(client, digest, signal);
  }
}

/**
 * Returns whether a mount failed where an upload may succeed: the registry (Quay: 400, Artifactory)
 * or its token server, which denies the scope for `from` (containerd/containerd#11709), refused it,
 * and another attempt would not help.
 */
function isMountRefused(error: unknown): boolean {
  return (
    error instanceof LambdaPackError &&
    error.code !== "ABORTED" &&
    attemptsFor(error) !== Number.POSITIVE_INFINITY
  );
}

/** Starts an upload. `subject` names in messages what is sent. */
export async function startUpload(
  client: RegistryClient,
  subject: string,
  signal?: AbortSignal,
): Promise<UploadSession> {
  const call = starting(client.url("blobs/uploads/"), subject, signal);
  return new UploadSession(client, subject, await client.once({ ...call, answers: [202] }));
}

function starting(url: URL, subject: string, signal: AbortSignal | undefined) {
  const headers = { "content-length": "0" };
  return { method: "POST", url, headers, action: "start an upload", subject, signal } as const;
}

/**
 * One upload of one blob (distribution-spec end-4a to end-6, end-11, end-13, end-14). Every method
 * makes one request and leaves retries to its caller.
 */
export class UploadSession {
  /** Minimum size in bytes of every chunk but the last. */
  readonly minChunk: number;
  readonly #client: RegistryClient;
  readonly #subject: string;
  readonly #lookUpFailures = { count: 0 };
  #location: URL;

  /** @throws REGISTRY_ANSWER if the answer that started the upload does not follow the protocol. */
  constructor(client: RegistryClient, subject: string, started: HttpResponse) {
    started.discard();
    const asked = minimumChunk(started.header("oci-chunk-min-length"));
    if (!(asked <= MAX_MIN_CHUNK)) {
      const header = JSON.stringify(started.header("oci-chunk-min-length"));
      throw invalid(
        client,
        `wants chunks of at least ${header} bytes, more than the limit of ${MAX_MIN_CHUNK}`,
      );
    }
    this.minChunk = Math.max(asked, client.traits.minChunk);
    this.#client = client;
    this.#subject = subject;
    this.#location = locationOf(client, started);
  }

  /** Sends a chunk that is not the last. Returns the number of stored bytes, if it is known. */
  async write(body: HttpBody, from: number, signal?: AbortSignal): Promise<number | undefined> {
    const response = await this.#client.once({
      ...this.#call("PATCH", "send the blob", signal),
      headers: { ...BYTES, "content-range": `${from}-${from + body.length - 1}` },
      body,
      // ECR answers 201 where the specification says 202 (containers-roadmap#2831), ggcr and Pulp
      // 204.
      answers: [201, 202, 204],
    });
    this.#moveOn(response);
    return storedBytes(response.header("range"));
  }

  /**
   * Sends the rest (the whole blob when `from` is 0) and ends the session; the repository then has
   * the blob.
   */
  async commit(
    { digest, size }: Descriptor,
    body: HttpBody,
    from: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const range = from > 0 && from < size && { "content-range": `${from}-${size - 1}` };
    const response = await this.#client.once({
      ...this.#call("PUT", "finish the blob", signal),
      url: withDigest(this.#location, digest),
      headers: { ...BYTES, ...range },
      body,
      // distribution on S3 copies and hashes the whole blob before it answers.
      commits: true,
      answers: [200, 201, 204],
    });
    checkStored(this.#client, response, digest);
  }

  /**
   * Returns how many bytes are stored, `gone` when the registry does not know the session,
   * undefined when it does not say.
   */
  async status(signal?: AbortSignal): Promise<number | "gone" | undefined> {
    const call = this.#call("GET", "send the blob", signal);
    const answers = [200, 204, 400, 401, 403, 404, 405, 410, 501];
    const response = await lookUp(this.#client, { ...call, answers }, this.#lookUpFailures);
    if (!response) return undefined;
    this.#moveOn(response);
    if ([400, 404, 410].includes(response.status)) return "gone";
    return response.status === 204 ? storedBytes(response.header("range")) : undefined;
  }

  /** Asks the registry once to delete the upload. A failure is ignored. */
  async abort(signal: AbortSignal): Promise<void> {
    const call = this.#call("DELETE", "send the blob", signal);
    // The registry ends an abandoned session after a while; the error to report is the one that
    // stopped the push.
    const request = this.#client.once({ ...call, answers: [200, 202, 204] });
    await request.then((response) => response.discard()).catch(() => undefined);
  }

  #call(method: Call["method"], action: Call["action"], signal: AbortSignal | undefined) {
    return { method, action, url: this.#location, subject: this.#subject, signal } as const;
  }

  /** distribution encodes the offset in the Location, so only the latest one is valid. */
  #moveOn(response: HttpResponse): void {
    response.discard();
    if (response.header("location") !== undefined) this.#location = locationOf(this.#client, response);
  }
}

const BYTES = { "content-type": "application/octet-stream" };

/**
 * Returns the upload's URL, which may be absolute or relative, on another host, and with a query
 * that must be kept (distribution-spec, "Pushing blobs").
 */
function locationOf(client: RegistryClient, response: HttpResponse): URL {
  const location = response.header("location");
  if (location !== undefined) return client.follow(location, response.url);
  throw invalid(client, "started an upload and did not say where (no Location)");
}

function invalid({ name }: RegistryClient, what: string): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `${name} ${what}`, {
    hint: "that is not the distribution protocol: something in front of the registry may change its answers; --verbose shows them for its operator",
  });
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
