import type { Pacing } from "../../async/retry.ts";
import { LambdaPackError, type RegistryAnswer } from "../../errors.ts";
import type { HttpResponse } from "../http/http.ts";
import { type ErrorDocument, readErrorDocument } from "./error-document.ts";
import { hintFor } from "./hints.ts";
import { type Attempted, sentence } from "./network-error.ts";

/** Reads the body of `response` (at most 64 KiB) and returns the error for it. */
export async function refusalOf(
  response: HttpResponse,
  attempted: Attempted,
  pacing: Pacing,
): Promise<LambdaPackError> {
  const document = await readErrorDocument(response, secretsOf(response.url));
  const { status, url } = response;
  const missing = isMissingBlobs(attempted, document) ? { missing: document.digests } : {};
  const answer: RegistryAnswer = {
    status,
    complaints: document.complaints,
    by: attempted.at === url.host ? "registry" : "storage",
    retryAfterMs: retryAfterMs(response.header("retry-after"), pacing.now()),
    range: response.header("range"),
    ...missing,
  };
  const message = `${sentence(attempted)}: ${reasonOf(status, document)}`;
  if (answer.missing) {
    const hint = "run it again: the missing blobs are sent then";
    return new LambdaPackError("BLOBS_MISSING", message, { hint, answer });
  }
  const { code, hint } = hintFor(attempted, { ...answer, host: url.host, text: document.text });
  return new LambdaPackError(code, message, { hint, answer });
}

/** Returns the values of a URL's query, because a registry may repeat an upload's state. */
function secretsOf(url: URL): readonly string[] {
  return [...url.searchParams.values()].filter((value) => value.length >= 8 && !value.startsWith("sha256:"));
}

function reasonOf(status: number, { complaints, text }: ErrorDocument): string {
  const words = complaints
    .map(({ code, message }) => (message === "" ? code : `${code}: ${message}`))
    .join("; ");
  const said = words === "" ? text : words;
  return said === "" ? `HTTP ${status}` : `HTTP ${status}, ${said}`;
}

/**
 * ECR answers BLOB_UPLOAD_UNKNOWN instead of the specification's MANIFEST_BLOB_UNKNOWN, so its
 * message is matched (mapbox/ecs-conex#50).
 */
function isMissingBlobs({ action }: Attempted, { complaints }: ErrorDocument): boolean {
  return (
    action === "write the manifest" &&
    complaints.some(
      ({ code, message }) =>
        code === "MANIFEST_BLOB_UNKNOWN" || code === "BLOB_UNKNOWN" || /^Layers with digests '/.test(message),
    )
  );
}

/** Returns the milliseconds in a Retry-After header (RFC 9110 10.2.3): seconds or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  // Every form of HTTP date begins with the day's name; Date.parse would read "-1" as a year.
  const date = /^\s*[A-Za-z]{3}/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Returns an error for content that does not match its digest or size. It is retried, because
 * content is often damaged in transit.
 */
export function damaged(message: string): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", message, {
    hint: "the registry, or something in front of it, changes or cuts what it sends: push the image there again, or use another network",
  });
}
