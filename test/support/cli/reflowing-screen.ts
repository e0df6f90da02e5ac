import { Writable } from "node:stream";
import type { Output } from "../../../src/cli/io.ts";

/**
 * A terminal that wraps long lines again when its width changes, and whose cursor stays at its
 * character, as those built on VTE do. It knows the few sequences that progress is drawn with.
 */
export class ReflowingScreen {
  readonly output: Output;
  #lines: string[] = [""];
  #offset = 0;
  #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        this.#draw(String(chunk));
        done();
      },
    });
    this.output = Object.assign(stream, {
      isTTY: true,
      columns,
      getColorDepth: () => 1,
      cursorTo: () => void stream.write("\r"),
      moveCursor: () => undefined,
      clearLine: () => void stream.write("\u001b[K"),
    });
  }

  get text(): string {
    return this.#lines.join("\n").trimEnd();
  }

  resize(columns: number): void {
    this.#columns = columns;
    Object.assign(this.output, { columns });
    this.output.emit("resize");
  }

  #draw(chunk: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is drawn with
    for (const [token] of chunk.matchAll(/\u001b\[[?\d]*[A-Za-z]|[^\u001b]/gu)) this.#take(token);
  }

  #take(token: string): void {
    const line = this.#lines.at(-1) ?? "";
    const row = this.#offset - (this.#offset % this.#columns);
    const put = (text: string) => this.#lines.splice(-1, 1, text);
    if (token === "\r") this.#offset = row;
    else if (token === "\n") {
      this.#lines.push("");
      this.#offset = 0;
    } else if (token.endsWith("[J")) put(line.slice(0, this.#offset));
    else if (token.endsWith("[K")) {
      const rest = line.slice(row + this.#columns);
      put(
        rest === ""
          ? line.slice(0, this.#offset)
          : `${line.slice(0, this.#offset).padEnd(row + this.#columns)}${rest}`,
      );
    } else if (!token.startsWith("\u001b")) {
      put(`${line.slice(0, this.#offset)}${token}${line.slice(this.#offset + 1)}`);
      this.#offset += 1;
    }
  }
}
