import type { IncomingMessage } from "node:http";
import { onAbort } from "../../async/abortable.ts";
import { LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { printable, redactText, redactUrl } from "../errors/redact.ts";
import { IdleTimer, type IdleTimerOptions, MIN_PROGRESS } from "./idle-timer.ts";
import type { HttpRequest } from "./types.ts";

/** The answer to a request. Read its body or call `discard`: either frees the connection. */
export interface HttpResponse {
  readonly status: number;
  /** The requested URL. */
  readonly url: URL;
  /** The request's Authorization header, to tell a refused token from its replacement. */
  readonly authorization: string | undefined;
  /** Returns a header by its name in any case; several lines are joined with commas. */
  header(name: string): string | undefined;
  /** Returns each line of a header that holds a list (WWW-Authenticate). */
  headerLines(name: string): readonly string[];
  /**
   * The bytes as sent, not decompressed.
   * @throws with code ECONNRESET when cut short, ETIMEDOUT when it stalls.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * Reads the whole body.
   * @throws `tooLong()`, by default REGISTRY_ANSWER, when longer than `limit` bytes.
   */
  bytes(limit: number, tooLong?: () => LambdaPackError): Promise<Buffer>;
  /** Reads the whole body as UTF-8. */
  text(limit: number): Promise<string>;
  discard(): void;
}

/** In bytes. Reading this much is cheaper than opening a new connection. */
const DRAIN_LIMIT: number = 64 * 1024;

/** How an answer's body is read: each {@link MIN_PROGRESS} bytes must arrive within `stallMs`. */
export interface Reading extends Pick<IdleTimerOptions, "onEvent" | "noticeMs"> {
  readonly stallMs: number;
}

/** Wraps the answer to `request`. `body` replaces the message's own where that was read already. */
export function httpResponse(
  { url, method, headers, signal }: HttpRequest,
  message: IncomingMessage,
  reading: Reading,
  body: AsyncIterable<Uint8Array> = readBody(url, message, reading),
): HttpResponse {
  const release = onAbort(signal, () => message.destroy(reasonOf(signal)));
  message.once("close", release);
  const length = Number(message.headers["content-length"] ?? 0);
  const bytes: HttpResponse["bytes"] = async (limit, tooLong = () => longerThan(limit, url)) => {
    if (length <= limit) return collect(body, limit, tooLong);
    message.destroy();
    throw tooLong();
  };
  const lines = (name: string): readonly string[] => message.headersDistinct[name.toLowerCase()] ?? [];
  const discard = (): void => {
    void bytes(DRAIN_LIMIT).catch(() => message.destroy());
  };
  // No caller reads a body that does not exist, but an unread answer keeps its connection busy.
  if (method === "HEAD" || message.statusCode === 204 || message.statusCode === 304) discard();
  return {
    status: message.statusCode ?? 0,
    url,
    authorization: headers?.["authorization"],
    header: (name) => lines(name)[0] && lines(name).join(", "),
    headerLines: lines,
    body,
    bytes,
    text: async (limit) => (await bytes(limit)).toString("utf8"),
    discard,
  };
}

/**
 * Yields the bytes of an answer as they arrive. Fails with ETIMEDOUT when `stallMs` of waiting
 * brings neither 16 KiB nor the rest.
 */
async function* readBody(
  { host }: URL,
  message: IncomingMessage,
  { stallMs, ...notices }: Reading,
): AsyncGenerator<Uint8Array, void, void> {
  const timer = new IdleTimer({ ...notices, onExpired: (error) => message.destroy(error) });
  let [patience, bytes] = [stallMs, 0];
  const wait = (): number => {
    timer.start(`no more bytes came from ${host}`, patience);
    return performance.now();
  };
  let askedAt = wait();
  try {
    for await (const chunk of message) {
      timer.stop();
      bytes += chunk.length;
      patience -= performance.now() - askedAt;
      if (bytes >= MIN_PROGRESS) [patience, bytes] = [stallMs, 0];
      yield chunk;
      askedAt = wait();
    }
  } finally {
    timer.stop();
  }
}

/**
 * Reads at once an answer that arrives before the request's body is sent, because its connection
 * may close at any moment.
 */
export async function readEarlyBody(
  { url }: HttpRequest,
  message: IncomingMessage,
  reading: Reading,
): Promise<AsyncIterable<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of readBody(url, message, reading)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > DRAIN_LIMIT) break;
    }
  } catch {
    // The status and the headers are enough; the body may be incomplete.
  }
  return iterate(chunks);
}

/** Yields these chunks as the body of an answer. */
export async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, void> {
  yield* chunks;
}

async function collect(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  tooLong: () => LambdaPackError,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function longerThan(limit: number, url: URL): LambdaPackError {
  return new LambdaPackError(
    "REGISTRY_ANSWER",
    `the answer of ${redactUrl(url)} is longer than the limit of ${limit} bytes`,
  );
}

/** Returns why a signal aborted, as an error that a stream can be destroyed with. */
export function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error("aborted");
}

/** The most warnings of a registry that are shown. One more event says that there are others. */
const MAX_SHOWN = 20;

/**
 * Returns a function that reports the warnings in answers (distribution-spec "Warnings"), each
 * once, and at most 20.
 */
export function warningsTo(onEvent: OnEvent | undefined, name: string): (headers: readonly string[]) => void {
  const shown = new Set<string>();
  return (headers) => {
    for (const text of headers.flatMap((header) => warningText(header) ?? [])) {
      if (shown.has(text) || shown.size > MAX_SHOWN) continue;
      shown.add(text);
      const words = shown.size > MAX_SHOWN ? "more, which is not shown" : printable(redactText(text));
      onEvent?.({ type: "warning", message: `${name} says: ${words}` });
    }
  };
}

/**
 * Returns the text of a Warning header (RFC 7234 5.5) with code 299 and agent `-`, the form in
 * distribution-spec.
 */
export function warningText(header: string): string | undefined {
  const quoted = /^299 - "((?:[^"\\]|\\.)*)"$/su.exec(asUtf8(header).trim())?.[1];
  const text = quoted?.replace(/\\(.)/gsu, "$1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a quoted-string has none but tab (RFC 9110 5.6.4).
  return text === undefined || text === "" || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)
    ? undefined
    : text;
}

/**
 * Decodes a header as UTF-8, which registries write, although Node has read it as Latin-1. Other
 * bytes stay as they are.
 */
function asUtf8(header: string): string {
  const text = Buffer.from(header, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? header : text;
}
