import { responseHead, type UrlResponse } from "./function-url-response.ts";

/** Says that a stream begins with its status and headers: JSON, eight zero bytes, body. */
export const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = Buffer.alloc(8);
/** More is no prelude. */
const MAX_PRELUDE = 1024 * 1024;

export type StreamHead = Omit<UrlResponse, "body">;

/** Finds the prelude of a streamed response; its end may be cut across chunks. */
export class Prelude {
  #read: Buffer = Buffer.alloc(0);

  /**
   * Takes the next chunk. Undefined: the prelude has not ended yet.
   * @throws TypeError where it is none
   */
  push(chunk: Uint8Array): { readonly head: StreamHead; readonly rest: Buffer } | undefined {
    this.#read = Buffer.concat([this.#read, chunk]);
    const end = this.#read.indexOf(DELIMITER);
    if (end < 0 && this.#read.length > MAX_PRELUDE) throw new TypeError("the stream has no prelude");
    if (end < 0) return undefined;
    const value: unknown = JSON.parse(this.#read.toString("utf8", 0, end));
    const head = typeof value === "object" && value !== null ? responseHead({ ...value }) : undefined;
    if (!head) throw new TypeError("the prelude of the stream has no valid statusCode");
    return { head, rest: this.#read.subarray(end + DELIMITER.length) };
  }
}
