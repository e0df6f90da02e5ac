import { type Content, type Descriptor, DOCUMENT_LIMIT } from "../oci/content.ts";
import { digestOf } from "../oci/digest.ts";
import type { Call, RegistryClient } from "./client.ts";
import { DamagedAnswer } from "./errors/error.ts";
import type { HttpResponse } from "./http/http.ts";
import { steady } from "./http/steady.ts";

/**
 * A blob of the repository. Reading resumes by itself where a body was cut: always at the registry's own address,
 * because a signed one that it redirected to may have expired. At most 5 resumes without 1 MiB of progress.
 * A blob as small as a config is checked before its first byte is handed on, so that a damaged answer can be asked for again.
 * @throws CONTENT_MISMATCH at once when the registry offers another size than the descriptor's; what `send` of the client throws.
 */
export function blobContent(client: RegistryClient, descriptor: Descriptor): Content {
  const { registry, repository } = client;
  const read = descriptor.size <= DOCUMENT_LIMIT ? readChecked : readOn;
  return {
    descriptor,
    origin: { registry, repository },
    read: (from = 0, signal, memory) => read({ client, descriptor, signal, memory }, from),
  };
}

interface Reading {
  readonly client: RegistryClient;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
  readonly memory: "lent" | undefined;
}

async function* readChecked(reading: Reading, from: number): AsyncGenerator<Uint8Array, void, void> {
  const bytes = await reading.client.persist(stepOf(reading), () => readWhole(reading));
  if (from < bytes.length) yield bytes.subarray(from);
}

async function readWhole(reading: Reading): Promise<Buffer> {
  const { digest, size } = reading.descriptor;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyFrom({ ...reading, memory: undefined }, 0)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length < size) throw cutShort(reading.descriptor, bytes.length);
  if (digestOf(bytes) !== digest) throw mismatch(digest, `bytes with the digest ${digestOf(bytes)}`);
  return bytes;
}

/** The bytes from `from` to the end of the blob, over as many requests as it takes. */
async function* readOn(reading: Reading, from: number): AsyncGenerator<Uint8Array, void, void> {
  const { client, descriptor, signal } = reading;
  const step = stepOf(reading);
  const tries = client.tries(step);
  let offset = from;
  while (offset < descriptor.size) {
    try {
      for await (const chunk of bodyFrom(reading, offset)) {
        offset += chunk.length;
        tries.moved(chunk.length);
        yield chunk;
      }
      if (offset < descriptor.size) throw cutShort(descriptor, offset);
    } catch (error) {
      try {
        await tries.failed(error, signal);
      } catch (final) {
        throw client.explain(final, step);
      }
    }
  }
}

function stepOf({ descriptor, signal }: Reading) {
  return { action: "read the blob", subject: descriptor.digest, signal } as const;
}

/** One request's worth of the blob. */
async function* bodyFrom(reading: Reading, offset: number): AsyncGenerator<Uint8Array, void, void> {
  const { size, digest } = reading.descriptor;
  const response = await reading.client.once(callFor(reading, offset));
  let skip = startOf(response, offset, reading.descriptor);
  let left = size - offset;
  for await (const chunk of steady(response, reading.client.pacing, reading.memory)) {
    const useful = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - useful.length;
    left -= useful.length;
    if (left < 0) throw mismatch(digest, `more than the ${size} bytes of its descriptor`);
    if (useful.length > 0) yield useful;
  }
}

function callFor({ client, descriptor, signal }: Reading, offset: number): Call {
  return {
    method: "GET",
    url: client.url(`blobs/${descriptor.digest}`),
    headers: { "accept-encoding": "identity", ...(offset > 0 && { range: `bytes=${offset}-` }) },
    action: "read the blob",
    subject: descriptor.digest,
    answers: [200, 206],
    signal,
  };
}

/** How many bytes of the answer come before `offset`. A 200 to a Range request is the whole blob (RFC 9110 14.2). */
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

/** RFC 9110 14.4; `size` undefined for `*`. One line only: two that differ are an attack or a broken proxy. */
export function parseContentRange(
  lines: readonly string[],
): { first: number; last: number; size: number | undefined } | undefined {
  const match =
    lines.length === 1 ? /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(lines[0] ?? "") : null;
  if (!match) return undefined;
  const [, first, last, size] = match;
  return { first: Number(first), last: Number(last), size: size === "*" ? undefined : Number(size) };
}

/** A body that ends early without an error is a cut all the same, and is tried again as one. */
function cutShort({ digest, size }: Descriptor, offset: number): Error {
  return Object.assign(new Error(`the answer for ${digest} ended after ${offset} of ${size} bytes`), {
    code: "ECONNRESET",
  });
}

function mismatch(digest: string, what: string): DamagedAnswer {
  return new DamagedAnswer(`the registry offers for ${digest} ${what}`);
}
