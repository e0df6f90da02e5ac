import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Invocation } from "./invocation.ts";
import { accepted, headerOf, readBody, refuse, reply } from "./reply.ts";

const EVENTS: readonly unknown[] = ["INVOKE", "SHUTDOWN"];

interface Extension {
  readonly name: string;
  readonly events: readonly string[];
  /** Its open `event/next`. */
  next: ServerResponse | undefined;
  /** Resolves when it has ended, or asks for another event after SHUTDOWN. */
  readonly done: Promise<void>;
  readonly finish: () => void;
  isStopping: boolean;
  /** Came before the extension asked. */
  readonly waiting: object[];
}

/** The Extensions API (AWS docs, "Lambda extensions API"), as far as extensions need it to start and to see each invocation. */
export class Extensions {
  /** What each is told when it registers. */
  readonly about: {
    readonly functionName: string;
    readonly functionVersion: string;
    readonly handler: string;
  };
  readonly #registered = new Map<string, Extension>();
  /** Names of those that have to register before the first event. */
  readonly #expected: Set<string>;
  /** Resolves when all that are expected have registered. */
  readonly registered: Promise<void>;
  #allRegistered: () => void = () => undefined;

  /** @param expected names of extensions that are being started */
  constructor(about: Extensions["about"], expected: readonly string[]) {
    this.about = about;
    this.#expected = new Set(expected);
    const { promise, resolve } = deferred();
    this.registered = promise;
    this.#allRegistered = resolve;
    if (expected.length === 0) resolve();
  }

  async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const name = headerOf(request, "lambda-extension-name");
    if (name === "")
      return refuse(response, 403, "Extension.InvalidExtensionName", "Lambda-Extension-Name is missing");
    const events = eventsIn(body);
    if (!events) return refuse(response, 403, "Extension.InvalidEventType", "events: INVOKE and SHUTDOWN");
    const identifier = randomUUID();
    const { promise: done, resolve: finish } = deferred();
    this.#registered.set(identifier, {
      name,
      events,
      next: undefined,
      waiting: [],
      done,
      finish,
      isStopping: false,
    });
    this.#expected.delete(name);
    if (this.#expected.size === 0) this.#allRegistered();
    reply(response, 200, this.about, { "lambda-extension-identifier": identifier });
  }

  next(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const extension = this.#extensionOf(request, response);
    if (!extension) return;
    if (extension.isStopping && extension.waiting.length === 0) extension.finish();
    request.socket.once("close", extension.finish);
    extension.next = response;
    hand(extension);
  }

  /** `init/error` and `exit/error`. */
  async error(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await readBody(request);
    if (this.#extensionOf(request, response)) accepted(response);
  }

  invoke({ requestId, deadlineMs, functionArn, traceId }: Invocation): void {
    this.#send("INVOKE", {
      ...{ deadlineMs, requestId, invokedFunctionArn: functionArn },
      tracing: { type: "X-Amzn-Trace-Id", value: traceId },
    });
  }

  /** Tells those that subscribed to SHUTDOWN. Resolves when they have ended. */
  async shutdown(shutdownReason: "spindown" | "timeout" | "failure", deadlineMs: number): Promise<void> {
    const told = [...this.#registered.values()].filter(({ events }) => events.includes("SHUTDOWN"));
    for (const extension of told) extension.isStopping = true;
    this.#send("SHUTDOWN", { deadlineMs, shutdownReason });
    await Promise.all(told.map(({ done }) => done));
  }

  #send(eventType: string, details: object): void {
    for (const extension of this.#registered.values()) {
      if (!extension.events.includes(eventType)) continue;
      extension.waiting.push({ eventType, ...details });
      hand(extension);
    }
  }

  #extensionOf(request: IncomingMessage, response: ServerResponse): Extension | undefined {
    const identifier = headerOf(request, "lambda-extension-identifier");
    const extension = this.#registered.get(identifier);
    if (identifier === "")
      refuse(response, 403, "Extension.MissingExtensionIdentifier", "Lambda-Extension-Identifier is missing");
    else if (!extension)
      refuse(response, 403, "Extension.UnknownExtensionIdentifier", `${identifier} is not registered`);
    return extension;
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function hand(extension: Extension): void {
  const { next, waiting } = extension;
  const [event] = waiting;
  if (!next || !event) return;
  extension.next = undefined;
  waiting.shift();
  reply(next, 200, event, { "lambda-extension-event-identifier": randomUUID() });
}

function eventsIn(body: Buffer | undefined): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString() || "{}");
    const events = typeof value === "object" && value !== null && "events" in value ? value.events : [];
    return Array.isArray(events) && events.every((event) => EVENTS.includes(event)) ? events : undefined;
  } catch {
    return undefined;
  }
}
