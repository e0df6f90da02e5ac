import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseObject } from "../../oci/json.ts";
import { type Deferred, deferred } from "../promises.ts";
import { type FunctionError, functionError, type Invocation } from "./invocation.ts";
import { accepted, headerOf, readBody, refuse, reply } from "./reply.ts";

const EVENTS: readonly unknown[] = ["INVOKE", "SHUTDOWN"];

/** The response to the registration of an extension. */
export interface FunctionDetails {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
}

/** The reason for the end of an environment, as extensions receive it. */
export type ShutdownReason = "spindown" | "timeout" | "failure";

interface Extension {
  readonly name: string;
  readonly events: readonly string[];
  /** The open request for `event/next`. */
  next: ServerResponse | undefined;
  /** Events that arrived before the extension asked for one. */
  readonly waiting: object[];
  /** Resolves when the extension asks for the next event, so it has handled the last one. */
  ready: Deferred;
  /** Resolves when the extension has ended, or asks for another event after SHUTDOWN. */
  readonly done: Deferred;
  isStopping: boolean;
}

/**
 * Implements the part of the Extensions API (AWS docs, "Lambda extensions API") that extensions
 * need to start and to receive each invocation.
 */
export class Extensions {
  readonly #details: FunctionDetails;
  readonly #registered = new Map<string, Extension>();
  /** Names of the extensions with their own process, which is started with the runtime. */
  readonly #external: readonly string[];
  /** Names of external extensions that have not registered yet. */
  readonly #expected: Set<string>;
  readonly #allRegistered = deferred();
  readonly #onFailure: (error: FunctionError) => void;
  #isStopping = false;

  /**
   * @param external names of the extensions that are being started
   * @param onFailure called if an extension ends or fails before SHUTDOWN; the environment can then
   * no longer be used
   */
  constructor(
    details: FunctionDetails,
    external: readonly string[],
    onFailure: (error: FunctionError) => void,
  ) {
    this.#details = details;
    this.#external = external;
    this.#expected = new Set(external);
    this.#onFailure = onFailure;
    if (external.length === 0) this.#allRegistered.resolve();
  }

  /**
   * The time in milliseconds that Lambda gives an environment to end: 0 without extensions, less if
   * all of them run in the runtime's process (AWS docs, "Shutdown phase").
   */
  get shutdownMs(): number {
    const names = [...this.#registered.values()].map(({ name }) => name);
    if (names.length === 0) return 0;
    return names.some((name) => this.#external.includes(name)) ? 2000 : 500;
  }

  /**
   * Resolves when all expected extensions have registered, and all registered ones have asked for
   * their first event.
   */
  async started(): Promise<void> {
    await this.#allRegistered.promise;
    await this.ready();
  }

  /** Resolves when every extension asks for an event. */
  async ready(): Promise<void> {
    await Promise.all([...this.#registered.values()].map(({ ready }) => ready.promise));
  }

  async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const name = headerOf(request, "lambda-extension-name");
    if (name === "")
      return refuse(response, 403, "Extension.InvalidExtensionName", "Lambda-Extension-Name is missing");
    const events = eventsIn(body);
    if (!events) return refuse(response, 403, "Extension.InvalidEventType", "events: INVOKE and SHUTDOWN");
    const identifier = randomUUID();
    this.#registered.set(identifier, {
      ...{ name, events, next: undefined, waiting: [], isStopping: false },
      ...{ ready: deferred(), done: deferred() },
    });
    this.#expected.delete(name);
    if (this.#expected.size === 0) this.#allRegistered.resolve();
    reply(response, 200, this.#details, { "lambda-extension-identifier": identifier });
  }

  next(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const extension = this.#extensionOf(request, response);
    if (!extension) return;
    if (extension.isStopping && extension.waiting.length === 0) extension.done.resolve();
    extension.ready.resolve();
    extension.next = response;
    sendNext(extension);
  }

  /** Handles `init/error` and `exit/error`, by which an extension reports that it failed. */
  async error(request: IncomingMessage, response: ServerResponse, phase: string): Promise<void> {
    await readBody(request);
    const extension = this.#extensionOf(request, response);
    if (!extension) return;
    const reason = headerOf(request, "lambda-extension-function-error-type");
    if (reason === "")
      return refuse(
        response,
        403,
        "Extension.MissingHeader",
        "Lambda-Extension-Function-Error-Type is missing",
      );
    accepted(response);
    const errorType = phase === "init" ? "Extension.InitError" : "Extension.ExitError";
    this.#fail(errorType, `Error: the extension ${extension.name} reported ${reason}`);
  }

  /** Reports the end of an extension's process. `how` is for example `exit status 1`. */
  ended(name: string, how: string): void {
    for (const extension of this.#registered.values()) {
      if (extension.name !== name) continue;
      extension.ready.resolve();
      extension.done.resolve();
    }
    if (!this.#isStopping) this.#fail("Extension.Crash", `Error: the extension ${name} has ended: ${how}`);
  }

  invoke({ requestId, deadlineMs, functionArn, traceId }: Invocation): void {
    this.#send("INVOKE", {
      ...{ deadlineMs, requestId, invokedFunctionArn: functionArn },
      tracing: { type: "X-Amzn-Trace-Id", value: traceId },
    });
  }

  /** Sends SHUTDOWN to the extensions that subscribed to it. Resolves when they have ended. */
  async shutdown(shutdownReason: ShutdownReason, deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const subscribed = [...this.#registered.values()].filter(({ events }) => events.includes("SHUTDOWN"));
    for (const extension of subscribed) extension.isStopping = true;
    this.#send("SHUTDOWN", { deadlineMs, shutdownReason });
    await Promise.all(subscribed.map(({ done }) => done.promise));
  }

  #fail(errorType: string, message: string): void {
    this.#onFailure(functionError(errorType, message));
  }

  #send(eventType: string, details: object): void {
    for (const extension of this.#registered.values()) {
      if (!extension.events.includes(eventType)) continue;
      extension.ready = deferred();
      extension.waiting.push({ eventType, ...details });
      sendNext(extension);
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

function sendNext(extension: Extension): void {
  const { next, waiting } = extension;
  const [event] = waiting;
  if (!next || !event) return;
  extension.next = undefined;
  waiting.shift();
  reply(next, 200, event, { "lambda-extension-event-identifier": randomUUID() });
}

function eventsIn(body: Buffer | undefined): readonly string[] | undefined {
  const { events = [] } = parseObject(body?.toString() || "{}") ?? { events: undefined };
  return Array.isArray(events) && events.every((event) => EVENTS.includes(event)) ? events : undefined;
}
