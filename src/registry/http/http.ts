import type { IncomingMessage } from "node:http";
import type { Got, Request } from "got";
import { onAbort } from "../../async/abortable.ts";
import { loadPackage } from "../../async/load-package.ts";
import { loadOnce, once } from "../../async/single-flight.ts";
import { LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { readErrorDocument } from "../errors/error-document.ts";
import { redactUrl } from "../errors/redact.ts";
import { refusal, refusalReason, schemeOf } from "./address.ts";
import { type Agents, agentsFor } from "./agent.ts";
import { certificatesOf } from "./certificates.ts";
import { IdleTimer, TIMEOUTS, type Timeouts } from "./idle-timer.ts";
import { checkLiteral, type GuardedTarget, guardedLookup } from "./lookup.ts";
import { isProxyAnswer, proxyAnswer } from "./proxy.ts";
import { type HttpResponse, httpResponse, type Reading, readEarlyBody, reasonOf } from "./response.ts";
import { connected, drained, piecesOf } from "./send-body.ts";
import { isUnknownAuthority, socketError } from "./socket-error.ts";
import type { Http, HttpOptions, HttpRequest } from "./types.ts";

export type { Timeouts } from "./idle-timer.ts";
export type { HttpResponse } from "./response.ts";
export type { Http, HttpBody, HttpOptions, HttpRequest } from "./types.ts";

/** Loads got at the first request: a build that needs no registry does not load it. */
const loadGot = once(() => loadPackage("got", () => import("got")));

/** Creates the client of one repository: connections are opened at the first request. */
export function createHttp(options: HttpOptions): Http {
  const { environment, onEvent, insecureRegistries = [], privateHosts = [], connections = 8 } = options;
  const limits = { ...TIMEOUTS, ...options.timeouts };
  const certificates = certificatesOf(environment, options.authorities ? [options.authorities] : []);
  const pools = new Map<string, Promise<Agents>>();
  // One pool per redirecting registry: a connection allowed for one must not serve another.
  const poolOf = (from: URL | undefined): Promise<Agents> => {
    const more = { connections, certificates, tunnelTimeoutMs: limits.connectMs, from };
    return loadOnce(pools, from?.origin ?? "", () => agentsFor({ environment, ...more }));
  };
  const send: Http["send"] = async (request) => {
    const { signal, url } = request;
    signal?.throwIfAborted();
    checkUrl(request, insecureRegistries);
    const agents = await poolOf(request.from);
    const guarded = await guardOf(request, privateHosts, agents);
    const { trustsSystem } = certificates;
    const { got } = await loadGot();
    const report = reporter(request, onEvent);
    const stream = openStream(got, request, agents, guarded);
    const reading = { onEvent, stallMs: limits.stallMs, noticeMs: limits.noticeMs };
    const timer = new IdleTimer({ ...reading, onExpired: (error) => stream.destroy(error) });
    const release = onAbort(signal, () => stream.destroy(reasonOf(signal)));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      stream.on("error", (error) => reject(socketError(error, url)));
      stream.once("response", resolve);
    });
    const sending = track(writeBody(stream, request, limits, timer));
    try {
      const message = await answered;
      timer.stop();
      report(message.statusCode ?? 0);
      const response = await settle({ request, stream, message, sending, reading });
      await refuseProxyAnswer(request, message, response, agents);
      return response;
    } catch (error) {
      report(0);
      stream.destroy();
      // Reading the system's authorities takes a third of a second, and few registries need them.
      if (trustsSystem || !isUnknownAuthority(error) || !certificates.trustSystem()) throw error;
      return await send(request);
    } finally {
      timer.end(); // the body of a request that was refused early may still be read
      release();
    }
  };
  return {
    send,
    close() {
      for (const pool of pools.values())
        void pool.then(
          (agents) => agents.close(),
          () => {},
        );
    },
  };
}

/** @throws REGISTRY_ANSWER where `from`, whose answer named `url`, may not lead to this address. */
async function guardOf(
  { url, from }: HttpRequest,
  privateHosts: readonly string[],
  agents: Agents,
): Promise<GuardedTarget | undefined> {
  if (!from) return undefined;
  const guarded = { target: url, registry: from, privateHosts };
  await checkLiteral(guarded, agents.proxyFor(from) !== undefined);
  return guarded;
}

/** A body that is being sent. The stream reports a failure. */
interface Sending {
  readonly done: Promise<void>;
  readonly isDone: () => boolean;
}

/** Makes it possible to ask whether sending has ended. */
function track(done: Promise<void>): Sending {
  let isDone = false;
  done.then(
    () => {
      isDone = true;
    },
    () => undefined,
  );
  return { done, isDone: () => isDone };
}

/**
 * Sends the body of `request` when the stream is connected, and then starts the timer for the
 * answer. Any failure destroys the stream.
 * @throws CONTENT_MISMATCH when the body has another length than announced, and any error in
 * reading it.
 */
async function writeBody(
  stream: Request,
  { method, body, url, commits }: HttpRequest,
  limits: Timeouts,
  timer: IdleTimer,
): Promise<void> {
  try {
    await connected(stream, () => timer.start(`no connection to ${url.host}`, limits.connectMs));
    timer.stop();
    let written = 0;
    for await (const piece of piecesOf(body)) {
      // An answer or an abort ended the request while the content was being read.
      if (stream.destroyed) throw new Error("the request ended before it was sent");
      timer.start(`no more bytes could be sent to ${url.host}`, limits.stallMs);
      if (!stream.write(piece)) await drained(stream);
      timer.stop();
      written += piece.length;
      body?.onSent?.(written);
    }
    if (method !== "GET" && method !== "HEAD") stream.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  timer.start(`${url.host} gave no answer`, commits ? limits.commitMs : limits.answerMs);
}

interface Answered {
  readonly request: HttpRequest;
  readonly stream: Request;
  readonly message: IncomingMessage;
  readonly sending: Sending;
  readonly reading: Reading;
}

/**
 * Returns the response. A refusal during sending ends it, and is read at once: its connection may
 * close at any moment. An early success counts only once the whole body is sent.
 */
async function settle({ request, stream, message, sending, reading }: Answered): Promise<HttpResponse> {
  if (!sending.isDone() && (message.statusCode ?? 0) >= 300) {
    const body = await readEarlyBody(request, message, reading);
    stream.destroy();
    return httpResponse(request, message, reading, body);
  }
  await sending.done.catch((error: unknown) => {
    throw socketError(error, request.url);
  });
  return httpResponse(request, message, reading);
}

/** @throws the error for an answer that the proxy gave to a plain http request in place of the server. */
async function refuseProxyAnswer(
  request: HttpRequest,
  message: IncomingMessage,
  response: HttpResponse,
  agents: Agents,
): Promise<void> {
  const proxy = request.url.protocol === "http:" ? agents.proxyFor(request.url) : undefined;
  if (!proxy || !isProxyAnswer(request, message)) return;
  const { text: words } = await readErrorDocument(response);
  throw proxyAnswer(proxy, request.url.host, response.status, "EHOSTUNREACH", words);
}

/** Reports the request once, with the status of its answer or 0. */
function reporter({ method, url }: HttpRequest, onEvent: OnEvent | undefined): (status: number) => void {
  const started = performance.now();
  let isReported = false;
  return (status) => {
    if (isReported) return;
    isReported = true;
    const ms = Math.round(performance.now() - started);
    onEvent?.({ type: "request", method, url: redactUrl(url), status, ms });
  };
}

/** Refuses URLs that no request may use, whatever its caller has checked. */
function checkUrl({ url, from }: HttpRequest, insecureRegistries: readonly string[]): void {
  const why = refusalReason(url, from ?? url);
  if (why !== undefined) throw refusal(from ?? url, url, why);
  if (url.protocol === "https:" || from?.protocol === "http:") return;
  if (schemeOf(url.host, insecureRegistries) === "http:") return;
  throw new LambdaPackError("REGISTRY_UNREACHABLE", `${url.host} uses https only`, {
    hint: `to use http: --insecure-registry ${url.host}`,
  });
}

function openStream(
  got: Got,
  request: HttpRequest,
  agents: Agents,
  guarded: GuardedTarget | undefined,
): Request {
  const { method, url, body } = request;
  const agent = agents.agentFor(url);
  const bodiless = method === "GET" || method === "HEAD";
  const headers = {
    "user-agent": "lambda-pack",
    // Compression in transfer would break digests and ranges.
    "accept-encoding": "identity",
    ...(!bodiless && { "content-length": String(body?.length ?? 0) }),
    ...request.headers,
  };
  return got.stream(url, {
    method,
    headers,
    agent: { http: agent, https: agent },
    ...(guarded && { dnsLookup: guardedLookup(guarded) }),
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
  });
}
