import type { Got, Request } from "got";
import { LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { redactUrl } from "../errors/redact.ts";
import { refusal, schemeOf, whyNot } from "./address.ts";
import { type Agents, agentsFor, type Environment } from "./agent.ts";
import { exchange } from "./exchange.ts";
import { type HttpResponse, httpResponse } from "./http-response.ts";
import { guardedLookup } from "./lookup.ts";
import { TIMEOUTS, type Timeouts } from "./watch.ts";

export type { HttpResponse } from "./http-response.ts";
export type { Timeouts } from "./watch.ts";

/** Its length is always known: Content-Length is always sent, never chunked transfer encoding (S3 and ACR take no other). */
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
  /** Added to {@link Timeouts.answerMs} where the peer has more to do than usual before it answers. */
  readonly extraAnswerMs?: number | undefined;
  /**
   * The registry whose answer named this URL (Location, redirect, realm), as the user named it. The addresses the URL's host resolves to
   * are then held to the rules of address.ts. Behind a proxy it is the proxy that resolves, and only the URL's text can be checked.
   */
  readonly from?: URL | undefined;
}

/** One request, one answer: no retries, no redirects, no cookies, no decompression; every status is an answer. */
export interface Http {
  /**
   * Resolves with the headers of the answer. An answer that comes before the whole body is sent counts, and ends the sending.
   * @throws the socket's own error (ECONNRESET, EPIPE, ...), ETIMEDOUT, the signal's reason, or REGISTRY_UNREACHABLE where the way is
   * barred (certificate, proxy), REGISTRY_ANSWER where `from` may not lead there.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes every connection. */
  close(): void;
}

export interface HttpOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Hosts, with or without port, that may be spoken to over http beside loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Sockets to one host. Default 8. */
  readonly connections?: number | undefined;
}

export function createHttp(options: HttpOptions): Http {
  const { environment, onEvent, insecureRegistries = [], connections = 8 } = options;
  const limits = { ...TIMEOUTS, ...options.timeouts };
  const pools = new Map<string, Promise<Agents>>();
  // A pool for each registry that sends us on: a connection one of them was allowed must not serve another.
  const poolOf = (from: URL | undefined): Promise<Agents> => {
    const key = from?.origin ?? "";
    const pool = pools.get(key) ?? agentsFor(environment, connections, limits.connectMs);
    pools.set(key, pool);
    return pool;
  };
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      checkUrl(request, insecureRegistries);
      const agents = await poolOf(request.from);
      const report = reporter(request, onEvent);
      try {
        // Loaded with the first request: a build that talks to no registry does without.
        const { got } = await import("got");
        const answerMs = limits.answerMs + (request.extraAnswerMs ?? 0);
        const answered = await exchange(open(got, request, agents), request, { ...limits, answerMs });
        report(answered.message.statusCode ?? 0);
        return httpResponse(request, answered);
      } catch (error) {
        report(0);
        throw error;
      }
    },
    close() {
      for (const pool of pools.values())
        void pool.then(
          (agents) => agents.close(),
          () => {},
        );
    },
  };
}

function reporter({ method, url }: HttpRequest, onEvent: OnEvent | undefined): (status: number) => void {
  const started = performance.now();
  return (status) => {
    const ms = Math.round(performance.now() - started);
    onEvent?.({ type: "request", method, url: redactUrl(url), status, ms });
  };
}

/** The last gate: whatever a caller forgot to check is not sent. */
function checkUrl({ url, from }: HttpRequest, insecureRegistries: readonly string[]): void {
  const why = whyNot(url, from ?? url);
  if (why !== undefined) throw refusal(from ?? url, url, why);
  if (url.protocol === "https:" || from?.protocol === "http:") return;
  if (schemeOf(url.host, insecureRegistries) === "http:") return;
  throw new LambdaPackError("REGISTRY_UNREACHABLE", `${url.host} is not spoken to over http`, {
    hint: `if that is what you want, say so: --insecure-registry ${url.host}`,
  });
}

function open(got: Got, request: HttpRequest, agents: Agents): Request {
  const { method, url, body, from } = request;
  const agent = agents.agentFor(url);
  const bodiless = method === "GET" || method === "HEAD";
  const headers = {
    "user-agent": "lambda-pack",
    // A stored blob is its bytes as they are: a transfer that compresses would break digests and ranges.
    "accept-encoding": "identity",
    ...(!bodiless && { "content-length": String(body?.length ?? 0) }),
    ...request.headers,
  };
  return got.stream(url, {
    method,
    headers,
    agent: { http: agent, https: agent },
    ...(from && { dnsLookup: guardedLookup(url, from) }),
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
  });
}
