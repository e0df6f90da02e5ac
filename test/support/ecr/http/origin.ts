import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CertificateAuthority, LeafOptions } from "../../http/certificates.ts";
import { type Fault, type FaultPlan, flip } from "./faults.ts";
import { send } from "./sending.ts";
import { type Answer, BodyDropped, type Exchange, type LogEntry, type Service } from "./wire.ts";

export interface OriginOptions {
  /** Absent: plain http. */
  readonly certificates?: CertificateAuthority | undefined;
}

/**
 * One listening server on 127.0.0.1: reads requests, asks the fault plan, has the service answer, keeps the log.
 * It serves whatever host the client names, over TLS with a certificate for just that host.
 */
export class Origin {
  readonly log: LogEntry[] = [];
  fault: FaultPlan = () => undefined;
  /** Certificates shown from now on: a test makes them expire. */
  leaf: LeafOptions = {};
  port = 0;
  readonly scheme: "http" | "https";
  readonly #service: Service;
  readonly #server: Server;
  readonly #counts = new Map<string, number>();
  readonly #stopped = new AbortController();

  constructor(service: Service, { certificates }: OriginOptions = {}) {
    this.#service = service;
    this.scheme = certificates ? "https" : "http";
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      // A stopped origin answers nobody; everything else is a defect of the double and must be seen.
      this.#serve(request, response).catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) throw error;
      });
    };
    this.#server = certificates
      ? createTlsServer(
          {
            ...certificates.leaf("127.0.0.1"),
            SNICallback: (name, done) => done(null, certificates.context(name, this.leaf)),
          },
          listener,
        )
      : createServer(listener);
  }

  /** `http(s)://127.0.0.1:<port>`. */
  async start(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, "127.0.0.1", ready));
    // A listening TCP server has an address with a port.
    this.port = (this.#server.address() as AddressInfo).port;
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client may go at any time: seen as BodyDropped or not at all.
    request.on("error", () => {});
    const { method = "GET", headers } = request;
    const url = new URL(request.url ?? "/", `${this.scheme}://${headers.host ?? "127.0.0.1"}`);
    const kind = this.#service.kindOf(method, url, headers);
    const entry: LogEntry = {
      method,
      host: url.hostname,
      path: url.pathname + url.search,
      kind,
      authorized: headers.authorization !== undefined,
      status: 0,
      bodyBytes: 0,
      sentBytes: 0,
    };
    this.log.push(entry);
    const fault = this.#faultFor(entry);
    const exchange = { method, url, kind, headers, body: bodyOf(request, entry, fault) };
    const answer = await this.#answer(exchange, fault);
    if (answer === "never") return;
    if (answer === "hang-up") return void request.socket.destroy();
    await send(response, answer, { fault, entry, signal: this.#stopped.signal });
  }

  #faultFor({ method, host, path, kind }: LogEntry): Fault | undefined {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return this.fault({ method, host, path, kind, count });
  }

  async #answer(exchange: Exchange, fault: Fault | undefined): Promise<Answer | "never"> {
    if (fault?.do === "delay") await sleep(fault.ms, undefined, { signal: this.#stopped.signal });
    const instead = await insteadOf(exchange, fault);
    if (instead) return instead;
    const answer = await this.#honest(exchange);
    return fault?.do === "drop" ? "hang-up" : answer;
  }

  async #honest(exchange: Exchange): Promise<Answer> {
    try {
      return await this.#service.answer(exchange);
    } catch (error) {
      if (error instanceof BodyDropped) return "hang-up";
      throw error;
    }
  }
}

/** What comes of a fault that keeps the request from the service. */
async function insteadOf(
  exchange: Exchange,
  fault: Fault | undefined,
): Promise<Answer | "never" | undefined> {
  if (fault?.do === "drop" && fault.when === "before-reading") return "hang-up";
  if (fault?.do === "drop" && fault.when === "after-commit") return undefined;
  if (fault?.do === "answer" && fault.early) return { ...fault, close: true };
  const isStalled = fault?.do === "stall" && fault.side === "request";
  if (fault?.do !== "answer" && fault?.do !== "drop" && !isStalled) return undefined;
  const isWhole = await drained(exchange);
  if (isStalled) return "never";
  return fault.do === "answer" && isWhole ? fault : "hang-up";
}

/** False where the body ended before its end. */
async function drained({ body }: Exchange): Promise<boolean> {
  try {
    for await (const _ of body);
    return true;
  } catch (error) {
    if (error instanceof BodyDropped) return false;
    throw error;
  }
}

async function* bodyOf(
  request: IncomingMessage,
  entry: LogEntry,
  fault: Fault | undefined,
): AsyncGenerator<Buffer> {
  const onRequest = fault && "side" in fault && fault.side === "request" ? fault : undefined;
  if (onRequest?.do === "stall" && onRequest.at === 0) return;
  try {
    for await (const whole of request.iterator({ destroyOnReturn: false })) {
      const chunk = changed(whole, entry.bodyBytes, onRequest);
      entry.bodyBytes += chunk.length;
      yield chunk;
      if (chunk.length < whole.length || entry.bodyBytes === reachOf(onRequest)) break;
    }
  } catch {
    throw new BodyDropped("the client went away");
  }
  if (onRequest?.do === "cut") throw new BodyDropped("a fault cut the connection");
}

function reachOf(fault: Fault | undefined): number {
  return fault?.do === "cut" || fault?.do === "stall" ? fault.at : Number.POSITIVE_INFINITY;
}

/** The chunk that begins at `offset` of a body, as the fault leaves it. */
function changed(chunk: Buffer, offset: number, fault: Fault | undefined): Buffer {
  return flip(chunk.subarray(0, reachOf(fault) - offset), offset, fault);
}
