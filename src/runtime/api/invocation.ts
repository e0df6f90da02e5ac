/** One event for the runtime, with the values of its headers. */
export interface Invocation {
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** The time at which Lambda would stop the function, in milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  /** For example `Root=1-...;Parent=...;Sampled=0`. */
  readonly traceId: string;
  /** JSON from the caller's SDK. */
  readonly clientContext?: string | undefined;
  /** JSON of an Amazon Cognito identity. */
  readonly cognitoIdentity?: string | undefined;
  /** Receives each part of a streamed response; without it the response is collected. */
  readonly onChunk?: OnChunk | undefined;
}

export type OnChunk = (chunk: Uint8Array, contentType: string) => void | Promise<void>;

/** The result of an invocation, as Lambda reports it to the caller. */
export type Outcome =
  | {
      readonly kind: "result";
      /** Empty if `onChunk` received the parts. */
      readonly body: Buffer;
      readonly contentType: string;
      readonly streamed: boolean;
    }
  | FunctionError
  | (Omit<FunctionError, "kind"> & { readonly kind: "timeout" });

/** The error that a caller receives with `X-Amz-Function-Error: Unhandled`. */
export interface FunctionError {
  readonly kind: "error";
  /** For example `TypeError` or `Runtime.ExitError`. */
  readonly errorType: string;
  /** JSON: errorType, errorMessage and, if the runtime provides it, the stack trace. */
  readonly body: Buffer;
}

/** Creates an error that Lambda itself reports instead of the runtime. */
export function functionError(errorType: string, errorMessage: string): FunctionError {
  return { kind: "error", errorType, body: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}

/** Creates the outcome of a timeout. @param seconds the function's timeout */
export function timedOut(requestId: string, seconds: number): Outcome {
  const message = `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`;
  return { ...functionError("Sandbox.Timedout", message), kind: "timeout" };
}

/**
 * Returns the response headers of `invocation/next` (AWS docs, "Lambda runtime API"), without empty
 * ones.
 */
export function invocationHeaders(invocation: Invocation): Readonly<Record<string, string>> {
  const { clientContext, cognitoIdentity } = invocation;
  return {
    // Without a content type, the Python client reads the event as text.
    "content-type": "application/json",
    "lambda-runtime-aws-request-id": invocation.requestId,
    "lambda-runtime-deadline-ms": String(invocation.deadlineMs),
    "lambda-runtime-invoked-function-arn": invocation.functionArn,
    "lambda-runtime-trace-id": invocation.traceId,
    ...(clientContext && { "lambda-runtime-client-context": clientContext }),
    ...(cognitoIdentity && { "lambda-runtime-cognito-identity": cognitoIdentity }),
  };
}
