/** One event on its way to the runtime, with what its headers say. */
export interface Invocation {
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** When Lambda would stop the function: milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  /** `Root=1-...;Parent=...;Sampled=0` */
  readonly traceId: string;
  /** JSON, as the caller's SDK sent it. */
  readonly clientContext?: string | undefined;
  /** JSON, of an Amazon Cognito identity. */
  readonly cognitoIdentity?: string | undefined;
  /**
   * Receives each part of a streamed response as it comes; without it the response is collected.
   */
  readonly onChunk?: OnChunk | undefined;
}

export type OnChunk = (chunk: Uint8Array, contentType: string) => void | Promise<void>;

/** How an invocation ended, as Lambda tells its caller. */
export type Outcome =
  | {
      readonly kind: "result";
      /** Empty where `onChunk` has received the parts. */
      readonly body: Buffer;
      readonly contentType: string;
      readonly streamed: boolean;
    }
  | FunctionError
  | (Omit<FunctionError, "kind"> & { readonly kind: "timeout" });

/** What a function's caller gets with `X-Amz-Function-Error: Unhandled`. */
export interface FunctionError {
  readonly kind: "error";
  /** For example `TypeError`, `Runtime.ExitError`. */
  readonly errorType: string;
  /** JSON: errorType, errorMessage and, where the runtime tells it, the stack trace. */
  readonly body: Buffer;
}

/** An error that Lambda itself reports, in the runtime's place. */
export function functionError(errorType: string, errorMessage: string): FunctionError {
  return { kind: "error", errorType, body: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}

/** @param seconds the function's timeout */
export function timedOut(requestId: string, seconds: number): Outcome {
  const message = `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`;
  return { ...functionError("Sandbox.Timedout", message), kind: "timeout" };
}

/**
 * The response headers of `invocation/next` (AWS docs, "Lambda runtime API"): empty ones are left
 * out.
 */
export function invocationHeaders(invocation: Invocation): Readonly<Record<string, string>> {
  const { clientContext, cognitoIdentity } = invocation;
  return {
    // The Python client takes an event without a content type for text.
    "content-type": "application/json",
    "lambda-runtime-aws-request-id": invocation.requestId,
    "lambda-runtime-deadline-ms": String(invocation.deadlineMs),
    "lambda-runtime-invoked-function-arn": invocation.functionArn,
    "lambda-runtime-trace-id": invocation.traceId,
    ...(clientContext && { "lambda-runtime-client-context": clientContext }),
    ...(cognitoIdentity && { "lambda-runtime-cognito-identity": cognitoIdentity }),
  };
}
