import type { RegistryComplaint } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { isObject, parseObject } from "../../oci/json.ts";
import type { HttpResponse } from "../http/http.ts";
import { printable, redactSecrets, redactText } from "./redact.ts";

/** The parsed body of a refusal. */
export interface ErrorDocument {
  readonly complaints: readonly RegistryComplaint[];
  /** The start of a body that is not an error document; of an HTML page its title. */
  readonly text: string;
  /** Every digest that the document names. */
  readonly digests: readonly Digest[];
}

/** The most that is read of an error's body, in bytes (ggcr's limit). */
export const ERROR_LIMIT: number = 64 * 1024;
const TEXT_LIMIT = 300;
const MAX_COMPLAINTS = 10;

/**
 * Reads the body of a refusal. `secrets` are removed where the server repeats them. It never
 * throws: an incomplete or endless body gives an empty document.
 */
export async function readErrorDocument(
  response: HttpResponse,
  secrets: readonly string[] = [],
): Promise<ErrorDocument> {
  try {
    const body = await response.bytes(ERROR_LIMIT);
    return parseErrorDocument(redactSecrets(Buffer.from(body).toString("utf8"), secrets));
  } catch {
    // The status is enough; the body only explains it.
    return { complaints: [], text: "", digests: [] };
  }
}

/** Parses distribution-spec's "Error Codes", Docker's `{code, message}`, S3's XML, or text. */
export function parseErrorDocument(body: string): ErrorDocument {
  const digests = [...new Set(body.match(/\bsha256:[0-9a-f]{64}\b/g) ?? [])].filter(isDigest);
  const isMarkup = body.trimStart().startsWith("<");
  const complaints = isMarkup ? fromXml(body) : fromJson(body);
  const text = complaints.length > 0 ? "" : clean(isMarkup ? titleOf(body) : body);
  return { complaints, text, digests };
}

function fromJson(body: string): readonly RegistryComplaint[] {
  const document = parseObject(body);
  const list = Array.isArray(document?.["errors"]) ? document["errors"] : [document];
  return list.slice(0, MAX_COMPLAINTS).flatMap((entry: unknown) => complaintOf(entry) ?? []);
}

function complaintOf(entry: unknown): RegistryComplaint | undefined {
  if (!isObject(entry)) return undefined;
  // AWS's JSON APIs and some proxies use __type and Message.
  const code = word(entry["code"]) ?? word(entry["__type"]);
  const message = word(entry["message"]) ?? word(entry["Message"]) ?? word(entry["details"]) ?? "";
  return code === undefined && message === "" ? undefined : { code: code ?? "UNKNOWN", message };
}

/** Reads an error of S3 or CloudFront, to which registries redirect. */
function fromXml(body: string): readonly RegistryComplaint[] {
  const code = /<Code>([^<]{1,100})<\/Code>/.exec(body)?.[1];
  const message = /<Message>([^<]{0,300})<\/Message>/.exec(body)?.[1] ?? "";
  return code === undefined ? [] : [{ code: clean(code), message: clean(message) }];
}

/** Returns the title of a proxy's HTML page, without the status that many start with. */
function titleOf(page: string): string {
  return /<title>\s*(?:\d{3}\s+)?([^<]{1,300})/i.exec(page)?.[1] ?? "";
}

function word(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? clean(value) : undefined;
}

/** Returns untrusted text without control characters and secrets, and cut to a limit. */
function clean(text: string): string {
  return printable(redactText(text.slice(0, TEXT_LIMIT * 2)))
    .trim()
    .slice(0, TEXT_LIMIT);
}
