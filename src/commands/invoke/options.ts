import type { ImageFunctionOptions } from "../image-function.ts";

export interface InvokeOptions extends ImageFunctionOptions {
  /** A directory, or an image: `oci:DIR[:tag]`, `oci-archive:FILE`, `docker-archive:FILE` or a registry reference. */
  readonly source: string;
  /** The event, a JSON value. Default `{}`. */
  readonly event?: unknown;
  /** The name of a sample event, in the event's place. */
  readonly sample?: string;
  /** Receives a streamed response in parts, as the function writes it; `response` of the result is then empty. */
  readonly onChunk?: (chunk: Uint8Array) => void | Promise<void>;
}

/** What a function that failed tells its caller. */
export interface InvocationError {
  /** For example `TypeError`, `Runtime.ExitError`, `Sandbox.Timedout`. */
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** Times in milliseconds. */
export interface InvokeResult {
  readonly outcome: "result" | "error" | "timeout";
  /** The function's response: JSON, or whatever it streamed. */
  readonly response?: string;
  readonly error?: InvocationError;
  readonly requestId: string;
  readonly durationMs: number;
  /** From the start of the process until it asked for its first event. Absent where the start failed. */
  readonly initDurationMs?: number;
  /** MB; absent where the system does not tell. */
  readonly maxMemoryMb?: number;
  readonly memoryMb: number;
  /** Which program ran it, and how it was kept from the rest of the machine. */
  readonly ranWith: string;
  readonly handler: string;
  /** Everything that was logged, with Lambda's own lines. */
  readonly logs: string;
}
