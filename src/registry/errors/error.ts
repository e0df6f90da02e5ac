import type { Pacing } from "../../async/pacing.ts";
import { LambdaPackError, type RegistryComplaint, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { HttpResponse } from "../http/http.ts";
import type { RegistryTraits } from "../traits.ts";
import { adviceFor } from "./advice.ts";
import { type ErrorDocument, readErrorDocument } from "./error-document.ts";

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
  /** Host and port that the registry is spoken to at. */
  readonly at: string;
}

/** What the protocol needs of a refusal beside its words. */
export interface RefusalFacts {
  readonly status: number;
  readonly complaints: readonly RegistryComplaint[];
  /** What `Retry-After` asked for, undefined where it asked nothing. */
  readonly retryAfterMs?: number | undefined;
  /** The `Range` header. */
  readonly range?: string | undefined;
  /** The host that spoke, where the registry had sent us on to another. */
  readonly elsewhere?: string | undefined;
}

/** A registry answered, and not what was asked for. */
export class Refusal extends RegistryError {
  readonly retryAfterMs: number | undefined;
  readonly range: string | undefined;
  readonly elsewhere: string | undefined;

  constructor(code: RegistryError["code"], message: string, hint: string | undefined, facts: RefusalFacts) {
    super(code, message, { hint, ...facts });
    this.retryAfterMs = facts.retryAfterMs;
    this.range = facts.range;
    this.elsewhere = facts.elsewhere;
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

/** What came does not match its digest or size. Asked for again it may be whole, for the damage is often on the way. */
export class DamagedAnswer extends LambdaPackError {
  constructor(
    message: string,
    code: "CONTENT_MISMATCH" | "REGISTRY_ANSWER" = "CONTENT_MISMATCH",
    hint: string = "the registry, or something in front of it, changes or cuts what it gives: push the image there again, or use another network",
  ) {
    super(code, message, { hint });
  }
}

/** Reads the rest of `response` (at most 64 KiB) and says what it means. */
export async function refusalOf(
  response: HttpResponse,
  attempted: Attempted,
  pacing: Pacing,
): Promise<RegistryError> {
  const document = await readErrorDocument(response, pacing);
  const facts: RefusalFacts = {
    status: response.status,
    complaints: document.complaints,
    retryAfterMs: retryAfterMs(response.header("retry-after"), pacing.now()),
    range: response.header("range"),
    elsewhere: attempted.at === response.url.host ? undefined : response.url.host,
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
  // Every form of HTTP date begins with the day's name; Date.parse would take "-1" for a year.
  const date = /^\s*[A-Za-z]{3}/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Retried too, but a wrong name or port stays wrong. */
const NO_SERVER = ["ECONNREFUSED", "ENOTFOUND"];
const PASSING =
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ENETUNREACH|ENETDOWN|EHOSTUNREACH|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;

/** Why no answer came: `nobody` was there, or something `passing`. undefined: the network had no part in it. */
export function networkTrouble(error: unknown): "nobody" | "passing" | undefined {
  const code = systemCode(error) ?? "";
  if (NO_SERVER.includes(code)) return "nobody";
  return PASSING.test(code) ? "passing" : undefined;
}

/** The code of a system error; undefined for errors of ours and for an abort. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof LambdaPackError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name could not be looked up",
};

/** What goes to the user when no answer came. Everything that is no trouble of the network passes through. */
export function unreachable(error: unknown, attempted: Attempted): unknown {
  if (!(error instanceof Error) || networkTrouble(error) === undefined) return error;
  const code = systemCode(error) ?? "";
  const host = attempted.name.split("/", 1)[0] ?? "";
  return new LambdaPackError(
    "REGISTRY_UNREACHABLE",
    `${sentence(attempted)}: ${WORDS[code] ?? error.message} (${code})`,
    {
      hint: `check the name and the network, and HTTPS_PROXY and NO_PROXY where ${host} is behind a proxy; running it again is safe`,
      cause: error,
    },
  );
}
