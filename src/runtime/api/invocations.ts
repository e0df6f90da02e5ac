import type { IncomingMessage, ServerResponse } from "node:http";
import { LambdaPackError } from "../../errors.ts";
import { parseObject } from "../../oci/json.ts";
import { deferred } from "../promises.ts";
import {
  type FunctionError,
  functionError,
  type Invocation,
  invocationHeaders,
  type Outcome,
} from "./invocation.ts";
import { accepted, headerOf, RESPONSE_LIMIT, readBody, refuse, STREAMED_RESPONSE_LIMIT } from "./reply.ts";

interface Pending {
  readonly invocation: Invocation;
  settle(outcome: Outcome): void;
}

/** The end of the init phase: the runtime asked for its first event, or reported an error. */
export type Init = { readonly kind: "ready" } | FunctionError;

/**
 * Implements the runtime's part of the Runtime API: one event at a time is sent with `next`, and
 * its response or error is received. Serves one runtime process.
 */
export class Invocations {
  readonly #init = deferred<Init>();
  readonly #gone = deferred<FunctionError>();
  /** Resolves when the runtime asks for the next event, so it has finished the last one. */
  #ready = deferred();
  /** The open request for `next`. */
  #next: ServerResponse | undefined;
  #queued: Pending | undefined;
  #running: Pending | undefined;
  /** The outcome of every further invocation after the runtime has ended. */
  #end: FunctionError | undefined;
  readonly #onInvoke: (invocation: Invocation) => void;

  constructor(onInvoke: (invocation: Invocation) => void) {
    this.#onInvoke = onInvoke;
  }

  /** Settles once. Later failures of the process affect only the current invocation. */
  get init(): Promise<Init> {
    return this.#init.promise;
  }

  get gone(): Promise<FunctionError> {
    return this.#gone.promise;
  }

  /** Resolves when the runtime asks for an event, or has ended. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Sends an event to the runtime as soon as it asks for one. One at a time. */
  invoke(invocation: Invocation): Promise<Outcome> {
    if (this.#end) return Promise.resolve(this.#end);
    if (this.#queued || this.#running)
      throw new LambdaPackError("USAGE", "the runtime has an event already: it takes one at a time");
    return new Promise((settle) => {
      this.#queued = { invocation, settle };
      this.#sendNext();
    });
  }

  /**
   * Ends the init phase, or the current invocation, with `error`, because the runtime has ended.
   */
  end(error: FunctionError): void {
    this.#end ??= error;
    this.#init.resolve(error);
    this.#gone.resolve(error);
    this.#ready.resolve();
    this.#settle(error);
  }

  next(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    this.#next = response;
    response.once("close", () => {
      if (this.#next === response) this.#next = undefined;
    });
    this.#init.resolve({ kind: "ready" });
    this.#ready.resolve();
    this.#sendNext();
  }

  async response(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (!this.#isRunning(requestId)) return refuseId(request, response);
    const mode = headerOf(request, "lambda-runtime-function-response-mode");
    if (mode === "streaming") return this.#streamed(request, response);
    if (mode !== "") {
      request.resume();
      return refuse(response, 400, "InvalidFunctionResponseMode", `Invalid response mode ${mode}`);
    }
    const body = await readBody(request);
    if (!this.#isRunning(requestId)) return refuseId(request, response);
    if (body === undefined) return this.#tooLarge(response);
    accepted(response);
    this.#settle({ kind: "result", body, contentType: contentTypeOf(request), streamed: false });
  }

  async error(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const body = await readBody(request);
    if (!this.#isRunning(requestId)) return refuseId(request, response);
    if (body === undefined) return this.#tooLarge(response);
    accepted(response);
    this.#settle(errorOf(headerOf(request, "lambda-runtime-function-error-type"), body));
  }

  async initError(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)) ?? Buffer.alloc(0);
    accepted(response);
    this.end(errorOf(headerOf(request, "lambda-runtime-function-error-type"), body));
  }

  #sendNext(): void {
    const response = this.#next;
    const pending = this.#queued;
    if (!response || !pending) return;
    this.#next = undefined;
    this.#queued = undefined;
    this.#running = pending;
    this.#ready = deferred();
    const { invocation } = pending;
    this.#onInvoke(invocation);
    response.writeHead(200, {
      ...invocationHeaders(invocation),
      "content-length": invocation.payload.length,
    });
    response.end(invocation.payload);
  }

  async #streamed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pending = this.#running;
    const onChunk = pending?.invocation.onChunk;
    const contentType = contentTypeOf(request);
    const limit = onChunk ? STREAMED_RESPONSE_LIMIT : RESPONSE_LIMIT;
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      // Excess data is read and discarded, because the runtime reads the response only after it has
      // sent everything.
      if (length > limit) chunks.length = 0;
      else if (onChunk) await onChunk(chunk, contentType);
      else chunks.push(chunk);
    }
    if (length > limit) return this.#tooLarge(response, limit);
    if (this.#running !== pending) return refuseId(request, response);
    accepted(response);
    this.#settle(
      trailerError(request) ?? { kind: "result", body: Buffer.concat(chunks), contentType, streamed: true },
    );
  }

  #tooLarge(response: ServerResponse, limit = RESPONSE_LIMIT): void {
    const message = `Exceeded maximum allowed payload size (${limit} bytes).`;
    refuse(response, 413, "RequestEntityTooLarge", message);
    this.#settle(
      functionError("Function.ResponseSizeTooLarge", `Response payload size exceeded: ${message}`),
    );
  }

  #isRunning(requestId: string): boolean {
    return this.#running?.invocation.requestId === requestId;
  }

  #settle(outcome: Outcome): void {
    const pending = this.#running ?? this.#queued;
    this.#running = undefined;
    this.#queued = undefined;
    pending?.settle(outcome);
  }
}

function refuseId(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  refuse(response, 400, "InvalidRequestID", "Invalid request ID");
}

function contentTypeOf(request: IncomingMessage): string {
  return headerOf(request, "content-type") || "application/octet-stream";
}

/** Creates the error. AWS's client for Node sends the type only in the body. */
function errorOf(headerType: string, body: Buffer): FunctionError {
  return { kind: "error", errorType: typeIn(body) ?? (headerType || "Runtime.Unknown"), body };
}

function typeIn(body: Buffer): string | undefined {
  const errorType = parseObject(body.toString())?.["errorType"];
  return typeof errorType === "string" ? errorType : undefined;
}

/** Reads the error of a function that failed while streaming: it is in the trailers, in base64. */
function trailerError({ trailers }: IncomingMessage): FunctionError | undefined {
  const errorType = trailers["lambda-runtime-function-error-type"];
  if (!errorType) return undefined;
  const body = Buffer.from(trailers["lambda-runtime-function-error-body"] ?? "", "base64");
  return errorOf(errorType, body);
}
