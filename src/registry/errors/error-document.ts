import type { RegistryComplaint } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { HttpResponse } from "../http/http.ts";
import { printable, redactSecrets, redactText } from "./redact.ts";

/** What a registry says in the body of a refusal. */
export interface ErrorDocument {
  readonly complaints: readonly RegistryComplaint[];
  /** The first words of a body that is no error document; of a page its title. */
  readonly text: string;
  /** Every digest that the document names. */
  readonly digests: readonly Digest[];
}

/** ggcr's limit for the bodies of errors, in bytes. */
export const ERROR_LIMIT: number = 64 * 1024;
const TEXT_LIMIT = 300;
const MAX_COMPLAINTS = 10;

const SILENT: ErrorDocument = { complaints: [], text: "", digests: [] };

/**
 * Reads the body of a refusal. `secrets` are values that must not be shown where the server repeats
 * them. It never throws for a body that is strange, cut or endless: then there is less to say.
 */
export async function readErrorDocument(
  response: HttpResponse,
  secrets: readonly string[] = [],
): Promise<ErrorDocument> {
  try {
    const body = await response.bytes(ERROR_LIMIT);
    return parseErrorDocument(redactSecrets(Buffer.from(body).toString("utf8"), secrets));
  } catch {
    // The status alone decides; the words only explain it.
    return SILENT;
  }
}

/** distribution-spec "Error Codes", Docker's single `{code, message}`, S3's XML, or plain text. */
export function parseErrorDocument(body: string): ErrorDocument {
  const digests = [...new Set(body.match(/\bsha256:[0-9a-f]{64}\b/g) ?? [])].filter(isDigest);
  const isMarkup = body.trimStart().startsWith("<");
  const complaints = isMarkup ? fromXml(body) : fromJson(body);
  const text = complaints.length > 0 ? "" : clean(isMarkup ? titleOf(body) : body);
  return { complaints, text, digests };
}

function fromJson(body: string): readonly RegistryComplaint[] {
  const document = parse(body);
  const list = isRecord(document) && Array.isArray(document["errors"]) ? document["errors"] : [document];
  return list.slice(0, MAX_COMPLAINTS).flatMap((entry: unknown) => complaintOf(entry) ?? []);
}

function complaintOf(entry: unknown): RegistryComplaint | undefined {
  if (!isRecord(entry)) return undefined;
  // AWS's JSON APIs and some proxies have __type and Message.
  const code = word(entry["code"]) ?? word(entry["__type"]);
  const message = word(entry["message"]) ?? word(entry["Message"]) ?? word(entry["details"]) ?? "";
  return code === undefined && message === "" ? undefined : { code: code ?? "UNKNOWN", message };
}

/** The errors of S3 and CloudFront, behind a redirect. */
function fromXml(body: string): readonly RegistryComplaint[] {
  const code = /<Code>([^<]{1,100})<\/Code>/.exec(body)?.[1];
  const message = /<Message>([^<]{0,300})<\/Message>/.exec(body)?.[1] ?? "";
  return code === undefined ? [] : [{ code: clean(code), message: clean(message) }];
}

/** What proxies say in a page, without the status that many begin with. */
function titleOf(page: string): string {
  return /<title>\s*(?:\d{3}\s+)?([^<]{1,300})/i.exec(page)?.[1] ?? "";
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function word(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? clean(value) : undefined;
}

/** Untrusted text: no control characters, no secrets, not long. */
function clean(text: string): string {
  return printable(redactText(text.slice(0, TEXT_LIMIT * 2)))
    .trim()
    .slice(0, TEXT_LIMIT);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
