import type { LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import { type Digest, digestOf, isDigest } from "../oci/digest.ts";
import { DOCUMENT_LIMIT } from "../oci/json.ts";
import type { RegistryClient } from "./client.ts";
import { damaged } from "./errors/refusal.ts";
import type { HttpResponse } from "./http/http.ts";
import { LOOK_UP_ANSWERS, type LookUpFailures, lookUp } from "./look-up.ts";

/**
 * Returns whether the repository has this blob; false where the registry does not say. A missing
 * permission is reported by the upload that follows.
 */
export async function headBlob(
  client: RegistryClient,
  descriptor: Descriptor,
  signal?: AbortSignal,
  failures?: LookUpFailures,
): Promise<boolean> {
  if (!client.traits.supportsBlobHead) return false;
  const { digest } = descriptor;
  const url = client.url(`blobs/${digest}`);
  const call = { url, action: "check the blob", subject: digest, answers: LOOK_UP_ANSWERS, signal } as const;
  for (const method of ["HEAD", "GET"] as const) {
    const response = await lookUp(client, { ...call, method }, failures);
    if (!response) return false;
    response.discard();
    if (response.status === 200) return isWhole(response, descriptor);
    if (!LACKS_HEAD.includes(response.status)) return false;
  }
  return false;
}

/** The answers of a registry that does not support HEAD. */
export const LACKS_HEAD: readonly number[] = [400, 405, 501];

/** Returns whether size and digest are right; a wrong blob is sent again. */
function isWhole(response: HttpResponse, { digest, size }: Descriptor): boolean {
  const length = response.header("content-length");
  return (length === undefined || Number(length) === size) && (statedDigest(response) ?? digest) === digest;
}

/** Returns the digest that the registry states; undefined if it states none. */
export function statedDigest(response: HttpResponse): Digest | undefined {
  const stated = response.header("docker-content-digest");
  return stated !== undefined && isDigest(stated) ? stated : undefined;
}

/** Checks what the registry has stored. @throws CONTENT_MISMATCH when it states another digest. */
export function checkStored({ name }: RegistryClient, response: HttpResponse, digest: Digest): void {
  response.discard();
  const stated = statedDigest(response);
  if (stated === undefined || stated === digest) return;
  throw damaged(`${name} stored ${stated} where ${digest} was sent`);
}

/**
 * Returns a blob of the repository as content. Reading resumes after a broken connection, always at
 * the registry's own URL, because a signed URL of its storage may have expired. A blob of at most
 * {@link DOCUMENT_LIMIT} bytes is checked before its first byte is returned, so that a damaged
 * answer can be retried.
 * @throws CONTENT_MISMATCH when the registry offers another size than the descriptor's, and as
 * `send`.
 */
export function blobContent(client: RegistryClient, descriptor: Descriptor): Content {
  const { registry, repository } = client;
  const read = descriptor.size <= DOCUMENT_LIMIT ? readChecked : readResuming;
  return {
    descriptor,
    origin: { registry, repository },
    read: (from = 0, signal) => read({ client, descriptor, signal }, from),
  };
}

interface Reading {
  readonly client: RegistryClient;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
}

async function* readChecked(reading: Reading, from: number): AsyncGenerator<Uint8Array, void, void> {
  const bytes = await reading.client.persist(stepOf(reading), () => readWhole(reading));
  if (from < bytes.length) yield bytes.subarray(from);
}

async function readWhole(reading: Reading): Promise<Buffer> {
  const { digest, size } = reading.descriptor;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyFrom(reading, 0)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length < size) throw cutShort(reading.descriptor, bytes.length);
  if (digestOf(bytes) !== digest) throw mismatch(digest, `bytes with the digest ${digestOf(bytes)}`);
  return bytes;
}

/** Reads the bytes from `from` to the end of the blob, over as many requests as it takes. */
async function* readResuming(reading: Reading, from: number): AsyncGenerator<Uint8Array, void, void> {
  const { client, descriptor, signal } = reading;
  const attempts = client.attempts(stepOf(reading));
  let offset = from;
  let body: AsyncGenerator<Uint8Array, void, void> | undefined;
  const next = async (): Promise<Uint8Array> => {
    try {
      body ??= bodyFrom(reading, offset);
      const { value } = await body.next();
      if (value) return value;
      throw cutShort(descriptor, offset);
    } catch (error) {
      body = undefined;
      throw error;
    }
  };
  try {
    while (offset < descriptor.size) {
      const chunk = await attempts.run(next, signal);
      offset += chunk.length;
      attempts.moved(chunk.length);
      yield chunk;
    }
    // Reading to the end frees the connection. An error after the last byte does not matter.
    await body?.next().catch(() => undefined);
  } finally {
    await body?.return();
  }
}

function stepOf({ descriptor, signal }: Reading) {
  return { action: "read the blob", subject: descriptor.digest, signal } as const;
}

/** Yields the bytes of the blob that one request returns. */
async function* bodyFrom(reading: Reading, offset: number): AsyncGenerator<Uint8Array, void, void> {
  const { client, descriptor } = reading;
  const { size, digest } = descriptor;
  const response = await client.once({
    ...stepOf(reading),
    method: "GET",
    url: client.url(`blobs/${digest}`),
    headers: { "accept-encoding": "identity", ...(offset > 0 && { range: `bytes=${offset}-` }) },
    answers: [200, 206],
  });
  let skip = startOf(response, offset, descriptor);
  let left = size - offset;
  for await (const chunk of response.body) {
    const useful = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - useful.length;
    left -= useful.length;
    if (left < 0) throw mismatch(digest, `more than the ${size} bytes of its descriptor`);
    if (useful.length > 0) yield useful;
  }
}

/**
 * Returns how many bytes of the answer come before `offset`. A 200 to a Range request is the whole
 * blob (RFC 9110 14.2).
 */
function startOf(response: HttpResponse, offset: number, descriptor: Descriptor): number {
  const partial = response.status === 206;
  const problem = partial ? rangeProblem(response, offset, descriptor.size) : undefined;
  const expected = descriptor.size - (partial ? offset : 0);
  const length = response.header("content-length");
  const wrong =
    problem ??
    (length !== undefined && Number(length) !== expected
      ? `${length} bytes instead of ${expected}`
      : undefined);
  if (wrong === undefined) return partial ? 0 : offset;
  response.discard();
  throw mismatch(descriptor.digest, wrong);
}

function rangeProblem(response: HttpResponse, offset: number, size: number): string | undefined {
  const range = parseContentRange(response.headerLines("content-range"));
  if (range?.first === offset && (range.size ?? size) === size) return undefined;
  return `another part than was asked for: ${JSON.stringify(response.header("content-range") ?? "unnamed")}`;
}

/**
 * Parses a Content-Range (RFC 9110 14.4); `size` is undefined for `*`. Two lines are rejected: they
 * come from an attack or a broken proxy.
 */
export function parseContentRange(
  lines: readonly string[],
): { first: number; last: number; size: number | undefined } | undefined {
  const match =
    lines.length === 1 ? /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(lines[0] ?? "") : null;
  if (!match) return undefined;
  const [, first, last, size] = match;
  return { first: Number(first), last: Number(last), size: size === "*" ? undefined : Number(size) };
}

/** Returns a connection error for a body that ends early without one, so that it is retried. */
function cutShort({ digest, size }: Descriptor, offset: number): Error {
  return Object.assign(new Error(`the answer for ${digest} ended after ${offset} of ${size} bytes`), {
    code: "ECONNRESET",
  });
}

function mismatch(digest: string, what: string): LambdaPackError {
  return damaged(`the registry offers for ${digest} ${what}`);
}
