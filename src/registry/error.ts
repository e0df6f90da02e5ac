import { LambdaPackError, type RegistryComplaint, RegistryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { adviceFor } from "./advice.ts";
import { type ErrorDocument, readErrorDocument } from "./error-document.ts";
import type { HttpResponse } from "./http.ts";
import type { RegistryTraits } from "./traits.ts";

/** What a client does at a registry, in the words of a message. */
export type Action =
  | "read the manifest"
  | "write the manifest"
  | "check the blob"
  | "read the blob"
  | "start an upload"
  | "send the blob"
  | "finish the blob";

/** What was tried when an error came. */
export interface Attempted {
  readonly action: Action;
  /** The tag or digest. */
  readonly subject: string;
  /** `registry/repository`. */
  readonly name: string;
  readonly registry: RegistryTraits["name"];
}

/** What the protocol needs of a refusal beside its words. */
export interface RefusalFacts {
  readonly status: number;
  readonly complaints: readonly RegistryComplaint[];
  /** What `Retry-After` asked for, undefined where it asked nothing. */
  readonly retryAfterMs?: number | undefined;
  /** The `Range` header. */
  readonly range?: string | undefined;
}

/** A registry answered, and not what was asked for. */
export class Refusal extends RegistryError {
  readonly retryAfterMs: number | undefined;
  readonly range: string | undefined;

  constructor(code: RegistryError["code"], message: string, hint: string | undefined, facts: RefusalFacts) {
    super(code, message, { hint, ...facts });
    this.retryAfterMs = facts.retryAfterMs;
    this.range = facts.range;
  }
}

/** A manifest was refused because the registry lacks blobs it names. `missing` is empty where the registry did not say which. */
export class MissingBlobsError extends RegistryError {
  override readonly name = "MissingBlobsError";
  readonly missing: readonly Digest[];

  constructor(message: string, missing: readonly Digest[], refusal: Refusal) {
    super("REGISTRY_ANSWER", message, { ...refusal, hint: "run it again: the missing blobs are sent then" });
    this.missing = missing;
  }
}

/** Reads the rest of `response` (at most 64 KiB) and says what it means. */
export async function refusalOf(
  response: HttpResponse,
  attempted: Attempted,
  now: number,
): Promise<RegistryError> {
  const document = await readErrorDocument(response);
  const facts: RefusalFacts = {
    status: response.status,
    complaints: document.complaints,
    retryAfterMs: retryAfterMs(response.header("retry-after"), now),
    range: response.header("range"),
  };
  const { code, hint } = adviceFor(attempted, facts);
  const refusal = new Refusal(
    code,
    `${sentence(attempted)}: ${reasonOf(response.status, document)}`,
    hint,
    facts,
  );
  return isMissingBlobs(attempted, refusal)
    ? new MissingBlobsError(refusal.message, document.digests, refusal)
    : refusal;
}

/** `cannot write the manifest v1 of host/app`. */
export function sentence({ action, subject, name }: Attempted): string {
  return `cannot ${action} ${subject} of ${name}`;
}

function reasonOf(status: number, { complaints, text }: ErrorDocument): string {
  const words = complaints
    .map(({ code, message }) => (message === "" ? code : `${code}: ${message}`))
    .join("; ");
  const said = words === "" ? text : words;
  return said === "" ? `HTTP ${status}` : `HTTP ${status}, ${said}`;
}

/** ECR says BLOB_UPLOAD_UNKNOWN where the specification has MANIFEST_BLOB_UNKNOWN (mapbox/ecs-conex#50). */
function isMissingBlobs({ action }: Attempted, { complaints }: Refusal): boolean {
  return (
    action === "write the manifest" &&
    complaints.some(
      ({ code, message }) =>
        code === "MANIFEST_BLOB_UNKNOWN" || code === "BLOB_UNKNOWN" || /^Layers with digests '/.test(message),
    )
  );
}

/** RFC 9110 10.2.3: seconds or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const TLS_CODES = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO|ERR_SSL_)/;

/** What goes to the user when no answer came. Errors of ours, and the caller's own abort, pass through. */
export function unreachable(error: unknown, attempted: Attempted): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const host = attempted.name.split("/", 1)[0] ?? "";
  const tls = TLS_CODES.test(code);
  const hint = tls
    ? "the certificate is not trusted: name its authority in NODE_EXTRA_CA_CERTS, or name the host with --insecure-registry where it speaks http"
    : `check the name and the network, and HTTPS_PROXY and NO_PROXY where ${host} is behind a proxy`;
  return new LambdaPackError("REGISTRY_UNREACHABLE", `${sentence(attempted)}: ${wordsFor(code, error)}`, {
    hint,
    cause: error,
  });
}

function wordsFor(code: string, error: unknown): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: "the connection was refused",
    ECONNRESET: "the connection was closed",
    EPIPE: "the connection was closed",
    ETIMEDOUT: "no answer in time",
    ENOTFOUND: "there is no such host",
    EAI_AGAIN: "the name could not be looked up",
  };
  const detail = error instanceof Error ? error.message : "";
  return known[code] === undefined ? `${detail} (${code})` : `${known[code]} (${code})`;
}

/** The code of a system or TLS error; undefined for errors of ours and for an abort. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof LambdaPackError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" && error.name !== "AbortError" ? error.code : undefined;
}
