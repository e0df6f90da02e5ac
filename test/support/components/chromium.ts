import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { componentPath } from "./components.ts";

/** Without a sandbox, because root has none; without what Chromium does on the network by itself. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-pipe",
];

const STOP_AFTER_MS = 120_000;
const CLOSE_WITHIN_MS = 5_000;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Error) => void;
}

export interface PageSize {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

/** A headless Chromium, driven by the DevTools protocol over a pipe: JSON messages that end in a zero byte. */
export class Chromium {
  /** What the page wrote to the console as errors or warnings, threw, or was refused. */
  readonly complaints: string[] = [];
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #input: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #buffered = "";
  #sent = 0;
  #session: string | undefined;

  private constructor(process: ChildProcess, profile: string) {
    this.#process = process;
    this.#profile = profile;
    // stdio 3 and 4 are pipes: child_process types them as either.
    this.#input = process.stdio[3] as Writable;
    const output = process.stdio[4] as Readable;
    output.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    this.#input.on("error", (error) => this.#fail(error));
    process.on("exit", (status) => this.#fail(new Error(`Chromium ended with ${status}`)));
    process.on("error", (error) => this.#fail(error));
  }

  /** Opens the file; afterwards its scripts have run. */
  static async open(file: string, { width, height, dark = false }: PageSize): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), "lambda-pack-chromium-"));
    const program = componentPath("chromium") ?? "chromium";
    const process = spawn(program, [...FLAGS, `--user-data-dir=${profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    const browser = new Chromium(process, profile);
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await browser.#send(`${domain}.enable`);
    await browser.#send("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 1, mobile: false },
    });
    // What moves cannot be clicked at a known place.
    const features = [
      { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
      { name: "prefers-reduced-motion", value: "reduce" },
    ];
    await browser.#send("Emulation.setEmulatedMedia", { features });
    await browser.#send("Page.navigate", { url: pathToFileURL(file).href });
    await browser.until("document.readyState === 'complete' && document.querySelector('#map g') !== null");
    return browser;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
    const { result, exceptionDetails } = answer as {
      readonly result: { readonly value?: unknown };
      readonly exceptionDetails?: { readonly text: string };
    };
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  /** Resolves once the expression is true. Rejects after 20 s. */
  async until(expression: string): Promise<void> {
    const end = performance.now() + STOP_AFTER_MS;
    while ((await this.evaluate(expression)) !== true) {
      if (performance.now() > end) throw new Error(`never true: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Presses the mouse in the middle of what the expression finds. */
  async click(element: string): Promise<void> {
    const place = await this.evaluate(
      `(() => { const e = ${element}; e.scrollIntoView({ block: "nearest" }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`,
    );
    const [x, y] = place as readonly [number, number];
    const at = { x, y, button: "left", clickCount: 1 };
    await this.#send("Input.dispatchMouseEvent", { type: "mousePressed", ...at });
    await this.#send("Input.dispatchMouseEvent", { type: "mouseReleased", ...at });
  }

  async type(text: string): Promise<void> {
    await this.#send("Input.insertText", { text });
  }

  /** `Tab`, `Enter`, `Escape`, `ArrowRight` and so on. */
  async press(key: string): Promise<void> {
    const codes: Readonly<Record<string, number>> = {
      Tab: 9,
      Enter: 13,
      Escape: 27,
      ArrowLeft: 37,
      ArrowUp: 38,
      ArrowRight: 39,
      ArrowDown: 40,
    };
    const event = { key, code: key, windowsVirtualKeyCode: codes[key] ?? 0 };
    await this.#send("Input.dispatchKeyEvent", {
      ...{ type: "keyDown", ...event, ...(key === "Enter" && { text: "\r" }) },
    });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send("Page.captureScreenshot", { captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const late = setTimeout(() => this.#process.kill("SIGKILL"), CLOSE_WITHIN_MS);
      this.#session = undefined;
      // It may be gone before it answers.
      await this.#send("Browser.close").catch(() => {});
      await ended;
      clearTimeout(late);
    }
    // Its children let go of the directory a moment later.
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    this.#sent += 1;
    const id = this.#sent;
    const sessionId = this.#session;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#input.write(
        `${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`,
      );
    });
  }

  #take(text: string): void {
    const messages = (this.#buffered + text).split("\0");
    this.#buffered = messages.pop() ?? "";
    for (const message of messages) this.#hear(JSON.parse(message));
  }

  #hear({ id, method, params = {}, result = {}, error }: Message): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id !== undefined) this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
    if (method === "Network.requestWillBeSent") this.requests.push(urlOf(params));
    if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded")
      this.complaints.push(JSON.stringify(params));
    if (method === "Runtime.consoleAPICalled") this.complaints.push(JSON.stringify(params));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function urlOf(params: Readonly<Record<string, unknown>>): string {
  const { request } = params as { readonly request?: { readonly url?: string } };
  return request?.url ?? "";
}
