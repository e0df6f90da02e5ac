import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** How an invocation ended, as Lambda tells its caller. */
export type Outcome =
  | { readonly kind: "response"; readonly body: string }
  | { readonly kind: "error" | "init-error"; readonly errorType: string; readonly body: string };

/** What Lambda's sandbox offers to the runtime inside it. */
export interface RuntimeApi {
  /** `127.0.0.1:port`: the value of AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Hands the event to the runtime when it asks for its next one. Rejects when it is not answered within `limitMs`. */
  invoke(event: unknown, limitMs?: number): Promise<Outcome>;
  /** The runtime is gone: every invocation that waits rejects, and every later one. */
  fail(reason: Error): void;
  stop(): Promise<void>;
}

interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly deadlineMs: number;
  settle(outcome: Outcome): void;
  fail(reason: Error): void;
}

const PREFIX = "/2018-06-01/runtime";
const FUNCTION_ARN = "arn:aws:lambda:us-east-1:012345678912:function:test_function";
/** Lambda's limit of an answer that is not streamed: 6 MiB and 100 bytes. */
const ANSWER_LIMIT = 6 * 1024 * 1024 + 100;
const DEFAULT_LIMIT_MS = 20_000;

/** The Lambda Runtime API (AWS docs, "Using the Lambda runtime API"), on a free loopback port. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const desk = new Desk();
  const server = createServer((request, response) => void desk.answer(request, response));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    invoke: (event, limitMs = DEFAULT_LIMIT_MS) => desk.invoke(event, limitMs),
    fail: (reason) => desk.fail(reason),
    stop: () => stop(server),
  };
}

/** Where events wait for the runtime and the runtime for events. */
class Desk {
  readonly #waiting: Invocation[] = [];
  readonly #running = new Map<string, Invocation>();
  #next: ServerResponse | undefined;
  #gone: Error | undefined;

  invoke(event: unknown, limitMs: number): Promise<Outcome> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      const late = new Error(`no answer within ${limitMs} ms`);
      const timer = setTimeout(() => reject(late), limitMs);
      this.#waiting.push({
        ...{ id: randomUUID(), event: JSON.stringify(event), deadlineMs: Date.now() + limitMs },
        settle: (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
        fail: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      });
      this.#hand();
    });
  }

  fail(reason: Error): void {
    this.#gone = reason;
    for (const invocation of this.#takeAll()) invocation.fail(reason);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace(PREFIX, "");
    if (request.method === "GET" && path === "/invocation/next") {
      this.#next = response;
      return this.#hand();
    }
    const body = await buffer(request);
    const errorType = String(request.headers["lambda-runtime-function-error-type"] ?? "Runtime.Unknown");
    if (path === "/init/error") {
      for (const one of this.#takeAll()) one.settle({ kind: "init-error", errorType, body: body.toString() });
      return reply(response, 202, { status: "OK" });
    }
    const [, id = "", kind] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (kind === undefined) return reply(response, 404, { errorType: "NotFound", errorMessage: path });
    this.#settle(response, id, kind === "error" ? errorType : undefined, body);
  }

  #hand(): void {
    const response = this.#next;
    const invocation = response && this.#waiting.shift();
    if (!response || !invocation) return;
    this.#next = undefined;
    this.#running.set(invocation.id, invocation);
    response.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": invocation.id,
      "lambda-runtime-deadline-ms": String(invocation.deadlineMs),
      "lambda-runtime-invoked-function-arn": FUNCTION_ARN,
      "lambda-runtime-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
    });
    response.end(invocation.event);
  }

  #settle(response: ServerResponse, id: string, errorType: string | undefined, body: Buffer): void {
    const invocation = this.#running.get(id);
    this.#running.delete(id);
    if (!invocation) {
      reply(response, 400, { errorType: "InvalidRequestID", errorMessage: "Invalid request ID" });
    } else if (body.length > ANSWER_LIMIT) {
      reply(response, 413, {
        errorType: "RequestEntityTooLarge",
        errorMessage: "Exceeded maximum allowed payload size",
      });
      invocation.settle({ kind: "error", errorType: "Function.ResponseSizeTooLarge", body: "" });
    } else {
      reply(response, 202, { status: "OK" });
      invocation.settle(outcomeOf(errorType, body.toString()));
    }
  }

  #takeAll(): readonly Invocation[] {
    const all = [...this.#running.values(), ...this.#waiting.splice(0)];
    this.#running.clear();
    return all;
  }
}

function outcomeOf(errorType: string | undefined, body: string): Outcome {
  return errorType === undefined ? { kind: "response", body } : { kind: "error", errorType, body };
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** What Lambda sets for every function (AWS docs, "Defined runtime environment variables"). */
export function functionEnvironment(runtimeApi: string): readonly string[] {
  return [
    `AWS_LAMBDA_RUNTIME_API=${runtimeApi}`,
    "AWS_LAMBDA_FUNCTION_NAME=test_function",
    "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
    "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/test_function",
    "AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]0",
    "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
    "AWS_REGION=us-east-1",
    "AWS_DEFAULT_REGION=us-east-1",
  ];
}
