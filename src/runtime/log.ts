import { StringDecoder } from "node:string_decoder";

/** The size of the log that Lambda returns to a caller (AWS API, Invoke, LogType Tail). */
const TAIL_BYTES = 4096;

/** The log of one execution environment: it is forwarded, and its end is kept. */
export class Log {
  chunks = 0;
  #tail: Buffer = Buffer.alloc(0);
  readonly #onLog: (chunk: Uint8Array | string) => void;

  constructor(onLog: (chunk: Uint8Array | string) => void) {
    this.#onLog = onLog;
  }

  /** The last 4 KB since the start or the last `forget`. */
  get tail(): Buffer {
    return this.#tail;
  }

  write(chunk: Buffer | string): void {
    this.chunks++;
    this.#tail = Buffer.concat([this.#tail, Buffer.from(chunk).subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    this.#onLog(chunk);
  }

  forget(): void {
    this.#tail = Buffer.alloc(0);
  }
}

/** Splits a function's output into lines, without line ends. */
export class LogLines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array | string): void {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(chunk as Buffer);
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }

  /** Emits the last line, even without a line end. */
  flush(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
