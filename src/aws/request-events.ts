import { pipeline, Readable, Transform } from "node:stream";
import type { ECRClient } from "@aws-sdk/client-ecr";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { redactUrl } from "../registry/errors/redact.ts";
import type { CredentialContext } from "./credential-notes.ts";

/** What every client of the SDK has of this. */
export type Observable = Pick<ECRClient["middlewareStack"], "add">;

/**
 * Emits one `request` event for each attempt of a client. An error that comes before the first
 * request is marked as one of the credentials, with `notes` of why providers failed.
 */
export function reportRequests(stack: Observable, onEvent: OnEvent, notes: readonly string[]): void {
  const sent = new WeakSet<object>();
  stack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error && !sent.has(context))
          Object.assign(error, { whileSigning: true, providerNotes: notes } satisfies CredentialContext);
        throw error;
      }
    },
    { step: "initialize", name: "lambdaPackCredentialErrors", priority: "high" },
  );
  stack.add(
    (next, context) => async (args) => {
      sent.add(context);
      const startedAt = performance.now();
      const tell = (status: number) =>
        onEvent({
          type: "request",
          ...requestOf(args.request),
          status,
          ms: Math.round(performance.now() - startedAt),
        });
      try {
        const result = await next(args);
        tell(statusOf(result.response));
        return result;
      } catch (error) {
        tell(error instanceof Error && "$response" in error ? statusOf(error.$response) : 0);
        throw error;
      }
    },
    { step: "deserialize", name: "lambdaPackRequestEvents", priority: "high" },
  );
}

/** Bytes. A page of the longest list is far below it; what a function answers is at most 6 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Fails an answer of the SDK that is larger than any of AWS's, before it fills the memory. */
export function limitAnswers(stack: Observable, limit = MAX_ANSWER_BYTES): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown } | undefined;
      if (response?.body instanceof Readable) response.body = limited(response.body, limit);
      return result;
    },
    { step: "deserialize", name: "lambdaPackAnswerLimit", priority: "low" },
  );
}

function limited(body: Readable, limit: number): Readable {
  let left = limit;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(tooLarge(limit));
      else done(null, chunk);
    },
  });
  // An error of either end reaches the reader through `counter`; nothing is left to tell here.
  return pipeline(body, counter, () => undefined);
}

function tooLarge(limit: number): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `an answer of AWS is larger than ${limit} bytes`, {
    hint: "look for a proxy or an emulator on the way: AWS_ENDPOINT_URL, HTTPS_PROXY (--verbose shows the requests)",
  });
}

function requestOf(request: unknown): { readonly method: string; readonly url: string } {
  const {
    method = "POST",
    protocol = "https:",
    hostname = "",
    port,
    path = "/",
  } = request as Partial<Record<string, string>>;
  return { method, url: redactUrl(`${protocol}//${hostname}${port ? `:${port}` : ""}${path}`) };
}

function statusOf(response: unknown): number {
  const { statusCode } = (response ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}
