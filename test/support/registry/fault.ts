import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import { Hangup } from "./request.ts";

/** What a test wants to happen instead of the honest answer. */
export type Fault =
  /** The connection is closed before the body is read; nothing happens. */
  | { readonly kind: "drop" }
  /** The connection is closed after this many bytes of the request's body, which the upload keeps or loses as `sessions` says. */
  | { readonly kind: "cut request"; readonly at: number }
  /** The connection is closed after this many bytes of the answer's body. */
  | { readonly kind: "cut answer"; readonly at: number }
  /** Everything is done, and the answer is lost with the connection. */
  | { readonly kind: "lose answer" }
  /** Another answer; the body is read first, and nothing happens. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      /** The body of the request is not read, and the connection is closed afterwards. */
      readonly early?: boolean;
    }
  /** The honest answer, changed. */
  | { readonly kind: "change"; readonly change: (answer: Answer) => Answer }
  /** The honest answer, later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** No answer ever, the connection stays open. */
  | { readonly kind: "silence" }
  /** The honest answer's body comes one byte at a time. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** The honest answer's body stops after this many bytes, the connection stays open. */
  | { readonly kind: "stall"; readonly at: number };

export async function writeBody(
  response: ServerResponse,
  body: Uint8Array,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === "drip") return drip(response, body, fault.everyMs);
  if (fault?.kind !== "cut answer" && fault?.kind !== "stall") return void response.end(body);
  await new Promise((sent) => response.write(body.subarray(0, fault.at), sent));
  if (fault.kind === "cut answer") throw new Hangup();
}

async function drip(response: ServerResponse, body: Uint8Array, everyMs: number): Promise<void> {
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  response.end();
}
