import type { OnEvent } from "../../events.ts";
import type { Environment } from "./agent.ts";
import type { Timeouts } from "./idle-timer.ts";
import type { HttpResponse } from "./response.ts";

/**
 * The body of a request. It is sent with Content-Length, never with chunked transfer encoding,
 * which S3 and ACR do not accept.
 */
export interface HttpBody {
  readonly length: number;
  read(): AsyncIterable<Uint8Array>;
  /** Called with the number of bytes passed to the network so far. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** Returns these bytes as the body of a request. */
export function bodyOf(bytes: Uint8Array): HttpBody {
  return {
    length: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HttpBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** true: the peer processes the body before it answers ({@link Timeouts.commitMs} applies). */
  readonly commits?: boolean | undefined;
  /**
   * The registry, as the user named it, whose answer named this URL (Location, redirect, realm).
   * The addresses of the URL's host must then pass the rules of lookup.ts. Behind a proxy, which
   * resolves names, only the URL's text can be checked.
   */
  readonly from?: URL | undefined;
}

/**
 * An HTTP client. A call makes one request: no retries, redirects, cookies or decompression. No
 * status is an error.
 */
export interface Http {
  /**
   * Resolves when the headers of the answer have arrived. A refusal that arrives before the whole
   * body is sent ends the sending.
   * @throws the socket's own error (ECONNRESET, EPIPE, ...), ETIMEDOUT, the signal's reason,
   * REGISTRY_UNREACHABLE where a certificate or a proxy prevents the connection, REGISTRY_ANSWER
   * where `from` may not lead to the address.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes every connection. */
  close(): void;
}

export interface HttpOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Hosts, with or without a port, that are reached over http in addition to loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Hosts, with their subdomains, whose private addresses an answer may lead to. */
  readonly privateHosts?: readonly string[] | undefined;
  /** Maximum number of sockets to one host. Default 8. */
  readonly connections?: number | undefined;
  /** PEM certificates of authorities that are trusted in addition to Node's own. */
  readonly authorities?: string | undefined;
}
