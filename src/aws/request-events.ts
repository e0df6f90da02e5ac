import { pipeline, Readable, Transform } from "node:stream";
import type { ECRClient } from "@aws-sdk/client-ecr";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { redactUrl } from "../registry/errors/redact.ts";
import type { FailedAttempt } from "./retries.ts";

/** The middleware stack of a client of the SDK. */
export type Observable = Pick<ECRClient["middlewareStack"], "add">;

/**
 * Emits one `request` event for each attempt of a client. Marks an error that occurs before the
 * first request as an error of the credentials, with the reasons in `notes`.
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
      const emit = (status: number) =>
        onEvent({
          type: "request",
          ...requestOf(args.request),
          status,
          ms: Math.round(performance.now() - startedAt),
        });
      try {
        const result = await next(args);
        emit(statusOf(result.response));
        return result;
      } catch (error) {
        emit(error instanceof Error && "$response" in error ? statusOf(error.$response) : 0);
        const operation = String(context["commandName"]).replace(/Command$/, "");
        throw Object.assign(Object(error), { operation } satisfies FailedAttempt);
      }
    },
    { step: "deserialize", name: "lambdaPackRequestEvents", priority: "high" },
  );
}

/** In bytes. A page of the longest list is far smaller; a function's answer is at most 6 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Makes an answer fail that is larger than any of AWS's, before it fills the memory, or whose body
 * takes longer than `answerMs`: the SDK's own timeout covers only the headers.
 */
export function limitAnswers(stack: Observable, answerMs: number): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown } | undefined;
      if (response?.body instanceof Readable) response.body = limited(response.body, answerMs);
      return result;
    },
    { step: "deserialize", name: "lambdaPackAnswerLimit", priority: "low" },
  );
}

function limited(body: Readable, answerMs: number): Readable {
  let left = MAX_ANSWER_BYTES;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(tooLarge());
      else done(null, chunk);
    },
  });
  const timer = setTimeout(() => counter.destroy(timedOut(answerMs)), answerMs);
  counter.once("close", () => clearTimeout(timer));
  // An error of either end reaches the reader through `counter`.
  return pipeline(body, counter, () => undefined);
}

/** The SDK retries errors of this name. */
function timedOut(answerMs: number): Error {
  return Object.assign(new Error(`no whole answer within ${answerMs} ms`), { name: "TimeoutError" });
}

function tooLarge(): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `an answer of AWS is larger than ${MAX_ANSWER_BYTES} bytes`, {
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

/** Matches the reasons of providers that are not configured. */
const USELESS =
  /skipping|^Web identity configuration not specified|IMDS|Instance Metadata|Metadata Service|from any providers|could not be found in parsed|container metadata/i;

/**
 * Returns a `debug` function for the SDK's logger that records why credential providers failed. The
 * SDK drops these reasons if the last provider of its chain fails as well.
 */
export function noteCredentials(notes: string[]): (...content: readonly unknown[]) => void {
  return (first) => {
    const [, reason] = /^@smithy\/property-provider (?:->|\(!\)) (.*)/s.exec(String(first)) ?? [];
    if (reason !== undefined && !USELESS.test(reason) && !notes.includes(reason)) notes.push(reason);
  };
}

/** What {@link reportRequests} adds to an error of the SDK. */
export interface CredentialContext {
  /** Whether the error occurred while credentials were fetched, before the request was sent. */
  readonly whileSigning?: boolean;
  /** The messages of credential providers that failed. */
  readonly providerNotes?: readonly string[];
}
