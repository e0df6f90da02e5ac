import { responseHead, type UrlResponse } from "./function-url-response.ts";

/**
 * The content type of a stream that begins with its status and headers: JSON, eight zero bytes,
 * body.
 */
export const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = Buffer.alloc(8);
/** A longer start is not a prelude. */
const MAX_PRELUDE = 1024 * 1024;

export type StreamHead = Omit<UrlResponse, "body">;

/** Finds the prelude of a streamed response, which may span several chunks. */
export class Prelude {
  #read: Buffer = Buffer.alloc(0);

  /**
   * Adds a chunk. Returns undefined until the prelude is complete.
   * @throws TypeError if there is no valid prelude
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
