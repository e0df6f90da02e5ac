import { hasCode, LambdaPackError } from "../errors.ts";
import type { RegistryClient } from "./client.ts";
import { iamActionOf, repositoryHint } from "./errors/hints.ts";
import type { Attempted } from "./errors/network-error.ts";
import { getManifest } from "./manifests.ts";

/**
 * Returns how many bytes an upload's `Range: 0-<last>` says are stored (distribution-spec end-5,
 * end-13); undefined if it says nothing. `0-0` may mean nothing or one byte
 * (distribution-spec#578); it is read as nothing, because one byte is cheap to send again. `0--1`
 * means nothing in Cloudflare's serverless-registry.
 */
export function storedBytes(range: string | undefined): number | undefined {
  const match = /^(?:bytes[ =])?0-(-?\d{1,15})$/.exec(range?.trim() ?? "");
  if (!match) return undefined;
  const last = Number(match[1]);
  return last <= 0 ? 0 : last + 1;
}

/** Returns the offset that ECR names in its 416 (apple/containerization#790). */
function wantedByte(message: string): number | undefined {
  const match = /First byte of the layer part is \d+ instead of (\d{1,15})\b/.exec(message);
  return match ? Number(match[1]) : undefined;
}

/** Parses `OCI-Chunk-Min-Length`, in bytes: 0 without the header, NaN if it is not a number. */
export function minimumChunk(header: string | undefined): number {
  if (header === undefined) return 0;
  return /^\d{1,15}$/.test(header.trim()) ? Number(header) : Number.NaN;
}

type UploadRefusal =
  /** The chunk has the wrong offset. `wanted` is the right one, if the registry named it. */
  | { readonly kind: "misplaced"; readonly wanted: number | undefined }
  /** The session no longer exists, or cannot be used. */
  | { readonly kind: "gone" }
  /** The bytes that arrived have another digest or size. */
  | { readonly kind: "damaged" }
  /** Something on the way to the registry limits the size of a request. */
  | { readonly kind: "too-large" }
  /** The upload cannot correct it. */
  | { readonly kind: "final" };

const DAMAGED = /^(DIGEST_INVALID|SIZE_INVALID)$|None of the provided layer digests match/;
const GONE = /^(BLOB_UPLOAD_UNKNOWN|BLOB_UPLOAD_INVALID|UPLOAD_UNKNOWN)$/;

/** Returns what an error means for an upload; undefined if it is no answer of the registry. */
export function uploadRefusal({ code, answer }: LambdaPackError): UploadRefusal | undefined {
  if (!answer || answer.by === "token-server") return undefined;
  const { status, complaints, range } = answer;
  const wanted = complaints.map(({ message }) => wantedByte(message)).find((byte) => byte !== undefined);
  if (status === 416 || wanted !== undefined)
    return { kind: "misplaced", wanted: wanted ?? storedBytes(range) };
  if (status === 413) return { kind: "too-large" };
  const matches = (pattern: RegExp) =>
    complaints.some(({ code, message }) => pattern.test(code) || pattern.test(message));
  if (status === 400 && matches(DAMAGED)) return { kind: "damaged" };
  if (code === "REPOSITORY_NOT_FOUND") return { kind: "final" };
  // For a lost session distribution 2.8 answers 404 BLOB_UPLOAD_INVALID or _UNKNOWN; for an
  // unusable one ECR answers 400 (dotnet/sdk-container-builds#424).
  if (status === 404 || status === 410 || (status === 400 && matches(GONE))) return { kind: "gone" };
  return { kind: "final" };
}

/** A network failure rarely occurs three times in a row at the same request. */
const MAX_RESETS = 3;

/**
 * Returns the reason for `error`, the `count`th failure of a POST. ECR closes the connection when
 * the repository does not exist or the caller may not push (aws/containers-roadmap#1970), but
 * answers other requests.
 */
export async function explainReset(
  client: RegistryClient,
  error: unknown,
  count: number,
  signal?: AbortSignal,
): Promise<unknown> {
  if (!client.traits.closesInsteadOfAnswering || !hasCode(error, "ECONNRESET", "EPIPE")) return error;
  const attempted: Attempted = {
    action: "start an upload",
    subject: "",
    name: client.name,
    registry: client.traits.name,
    at: client.registry,
  };
  const hint = repositoryHint(attempted);
  const cause = count === 1 ? await missingRepository(client, signal) : undefined;
  if (cause !== undefined)
    return new LambdaPackError(
      "REPOSITORY_NOT_FOUND",
      `the repository ${client.name} does not exist (NAME_UNKNOWN)`,
      {
        hint,
        cause,
      },
    );
  if (count < MAX_RESETS) return error;
  return new LambdaPackError(
    "REPOSITORY_NOT_FOUND",
    `ECR closed the connection at the start of an upload: ${client.name} does not exist, or the caller lacks ${iamActionOf(attempted.action, attempted.registry)}`,
    { hint, cause: error },
  );
}

/** Returns the answer that the repository does not exist; undefined if it seems to be there. */
async function missingRepository(client: RegistryClient, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    await getManifest(client, "latest", signal);
  } catch (error) {
    if (hasCode(error, "REPOSITORY_NOT_FOUND")) return error;
  }
  return undefined;
}
