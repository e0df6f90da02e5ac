import type { OnEvent } from "../../events.ts";
import type { Environment } from "./agent.ts";
import type { Timeouts } from "./idle-timer.ts";
import type { HttpResponse } from "./response.ts";

/**
 * The body of a request. Content-Length is always sent, never chunked transfer encoding (S3 and ACR
 * accept no other).
 */
export interface HttpBody {
  readonly length: number;
  read(): AsyncIterable<Uint8Array>;
  /** Bytes handed to the network so far. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HttpBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * true: the peer processes what it received before it answers, for which it has {@link
   * Timeouts.commitMs}.
   */
  readonly commits?: boolean | undefined;
  /**
   * The registry whose answer named this URL (Location, redirect, realm), as the user named it. The
   * addresses the URL's host resolves to are then held to the rules of address.ts. Behind a proxy
   * it is the proxy that resolves, and only the URL's text can be checked.
   */
  readonly from?: URL | undefined;
}

/**
 * One request, one answer: no retries, no redirects, no cookies, no decompression; every status is
 * an answer.
 */
export interface Http {
  /**
   * Resolves with the headers of the answer. An answer that comes before the whole body is sent
   * counts, and ends the sending.
   * @throws the socket's own error (ECONNRESET, EPIPE, ...), ETIMEDOUT, the signal's reason, or
   * REGISTRY_UNREACHABLE where the way is barred (certificate, proxy), REGISTRY_ANSWER where `from`
   * may not lead there.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes every connection. */
  close(): void;
}

export interface HttpOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Hosts, with or without port, that are reached over http beside loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Hosts, and all below them, that an answer may lead to although their addresses are private. */
  readonly privateHosts?: readonly string[] | undefined;
  /** Sockets to one host. Default 8. */
  readonly connections?: number | undefined;
  /** PEM certificates of authorities that are trusted beside Node's own. */
  readonly authorities?: string | undefined;
}
