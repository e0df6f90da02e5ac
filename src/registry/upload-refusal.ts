import { MissingBlobsError, type Refusal } from "./errors/error.ts";
import { storedBytes, wantedByte } from "./upload-offset.ts";

/** What a refusal means to an upload. */
export type UploadRefusal =
  /** The next byte should be `wanted`, undefined where the registry did not say which. */
  | { readonly kind: "misplaced"; readonly wanted: number | undefined }
  /** The session is no more, or of no use. */
  | { readonly kind: "gone" }
  /** What arrived has another digest or size. */
  | { readonly kind: "damaged" }
  /** Something on the way limits the size of a request. */
  | { readonly kind: "too-large" }
  /** Nothing an upload can mend. */
  | { readonly kind: "final" };

const DAMAGED = /^(DIGEST_INVALID|SIZE_INVALID)$|None of the provided layer digests match/;
const GONE = /^(BLOB_UPLOAD_UNKNOWN|BLOB_UPLOAD_INVALID|UPLOAD_UNKNOWN)$/;

export function uploadRefusal(refusal: Refusal): UploadRefusal {
  const { status, complaints, range } = refusal;
  const wanted = complaints.map(({ message }) => wantedByte(message)).find((byte) => byte !== undefined);
  if (status === 416 || wanted !== undefined)
    return { kind: "misplaced", wanted: wanted ?? storedBytes(range) };
  if (status === 413) return { kind: "too-large" };
  const says = (pattern: RegExp) =>
    complaints.some(({ code, message }) => pattern.test(code) || pattern.test(message));
  if (status === 400 && says(DAMAGED)) return { kind: "damaged" };
  if (refusal.code === "REPOSITORY_NOT_FOUND" || refusal instanceof MissingBlobsError)
    return { kind: "final" };
  // distribution 2.8 ends a session with 404 BLOB_UPLOAD_INVALID or _UNKNOWN, ECR an unfit one with 400 (dotnet/sdk-container-builds#424).
  if (status === 404 || status === 410 || (status === 400 && says(GONE))) return { kind: "gone" };
  return { kind: "final" };
}
