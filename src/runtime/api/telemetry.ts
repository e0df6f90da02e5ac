import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { LambdaPackError } from "../../errors.ts";
import { count, field, items, optional, parseJson, string } from "../../oci/json.ts";
import type { InvocationReport } from "../report.ts";
import type { Outcome } from "./invocation.ts";
import type { Init } from "./invocations.ts";
import { readBody, refuse } from "./reply.ts";

const INIT = { initializationType: "on-demand" };

/** The phase in which a start happens: a second start is part of the first invocation. */
export type InitPhase = "init" | "invoke";

/**
 * Collects the events and log lines of an execution environment and sends them to the extensions
 * that subscribed over HTTP (AWS docs, "Lambda Telemetry API").
 */
export class Telemetry {
  /** Everything before the first invocation: an extension subscribes while it starts. */
  #past: TelemetryEvent[] | undefined = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #forwarder: string | undefined;

  /** @param forwarder the socket that leads to the ports of a sandbox with its own network */
  constructor(forwarder: string | undefined) {
    this.#forwarder = forwarder;
  }

  /** Handles a subscription; one for TCP is accepted and receives nothing. */
  async subscribe(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)) ?? Buffer.alloc(0);
    try {
      const subscription = parseSubscription(body, this.#forwarder);
      if (subscription) this.#subscriptions.push(subscription);
      for (const event of this.#past ?? []) subscription?.add(event);
    } catch (error) {
      if (!(error instanceof LambdaPackError)) throw error;
      return refuse(response, 400, "ValidationError", error.message);
    }
    response.writeHead(200, { "content-type": "text/plain" }).end("OK");
  }

  /** Adds an event or a log line of this moment. */
  add(type: string, record: unknown): void {
    const event = { time: new Date().toISOString(), type, record };
    this.#past?.push(event);
    for (const subscription of this.#subscriptions) subscription.add(event);
  }

  initEnded(phase: InitPhase, durationMs: number, init: Init | undefined): void {
    const status = init ? { error: "error", ready: "success" }[init.kind] : "timeout";
    const errorType = init?.kind === "error" ? init.errorType : undefined;
    this.add("platform.initRuntimeDone", { ...INIT, phase, status, errorType });
    this.add("platform.initReport", { ...INIT, phase, status, errorType, metrics: { durationMs } });
  }

  initStarted(phase: InitPhase, functionName: string, functionVersion: string): void {
    this.add("platform.initStart", { ...INIT, phase, functionName, functionVersion });
  }

  invocationStarted(requestId: string, version: string, traceId: string): void {
    this.#past = undefined;
    this.add("platform.start", { requestId, version, tracing: { type: "X-Amzn-Trace-Id", value: traceId } });
  }

  invocationEnded(report: Omit<InvocationReport, "logTail">, memorySizeMB: number): void {
    const { requestId, outcome, isLate, durationMs, initDurationMs, maxMemoryMb: maxMemoryUsedMB } = report;
    const status = isLate ? "timeout" : statusOf(outcome);
    const errorType = outcome.kind === "result" ? undefined : outcome.errorType;
    const producedBytes = outcome.body.length;
    const ended = { requestId, status, errorType };
    this.add("platform.runtimeDone", { ...ended, metrics: { durationMs, producedBytes } });
    const billedDurationMs = Math.ceil(durationMs + (initDurationMs ?? 0));
    const metrics = { durationMs, billedDurationMs, memorySizeMB, maxMemoryUsedMB, initDurationMs };
    this.add("platform.report", { ...ended, metrics });
  }

  /** Sends what is collected, before its time. Resolves when it was sent. */
  async flush(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.send()));
  }
}

function statusOf(outcome: Outcome): string {
  if (outcome.kind === "result") return "success";
  return outcome.errorType === "Runtime.ExitError" ? "failure" : outcome.kind;
}

interface TelemetryEvent {
  readonly time: string;
  readonly type: string;
  readonly record: unknown;
}

interface Settings {
  /** `platform`, `function`, `extension`. */
  readonly types: readonly string[];
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

const MAX_TYPES = 3;

/** The smallest, largest and default values (AWS docs, "Lambda Telemetry API reference"). */
const BUFFERING = {
  maxItems: [1000, 10_000, 10_000],
  maxBytes: [262_144, 1_048_576, 262_144],
  timeoutMs: [25, 30_000, 1000],
} as const;

/** @throws LambdaPackError that names what is not valid */
function parseSubscription(body: Uint8Array, forwarder: string | undefined): Subscription | undefined {
  const root = parseJson(body, "the subscription");
  const destination = field(root, "destination");
  if (optional(destination, (it) => field(it, "protocol").value) !== "HTTP") return undefined;
  const uri = string(field(destination, "URI"));
  if (!URL.canParse(uri)) throw new LambdaPackError("IMAGE_INVALID", `destination.URI is not a URL: ${uri}`);
  const buffering = (name: keyof typeof BUFFERING): number => {
    const [least, most, usual] = BUFFERING[name];
    const given = optional(field(root, "buffering"), (it) => optional(field(it, name), count)) ?? usual;
    if (given >= least && given <= most) return given;
    throw new LambdaPackError("IMAGE_INVALID", `buffering.${name} is not between ${least} and ${most}`);
  };
  const settings = {
    types: items(field(root, "types"), MAX_TYPES).map(string),
    ...{ maxItems: buffering("maxItems"), maxBytes: buffering("maxBytes") },
    timeoutMs: buffering("timeoutMs"),
  };
  return new Subscription(settings, new URL(uri), forwarder);
}

/** Sends events in batches: at a number of events or bytes, or some time after the first. */
class Subscription {
  readonly #settings: Settings;
  readonly #destination: URL;
  readonly #forwarder: string | undefined;
  readonly #batch: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #sent: Promise<void> = Promise.resolve();

  constructor(settings: Settings, destination: URL, forwarder: string | undefined) {
    this.#settings = settings;
    this.#destination = destination;
    this.#forwarder = forwarder;
  }

  add(event: TelemetryEvent): void {
    const { types, maxItems, maxBytes, timeoutMs } = this.#settings;
    if (!types.includes(event.type.replace(/\..*/, ""))) return;
    const text = JSON.stringify(event);
    if (this.#bytes + Buffer.byteLength(text) > maxBytes) void this.send();
    this.#batch.push(text);
    this.#bytes += Buffer.byteLength(text);
    this.#timer ??= setTimeout(() => void this.send(), timeoutMs).unref();
    if (this.#batch.length >= maxItems) void this.send();
  }

  /** Sends the batch after those before it. Resolves when the extension has answered, or failed. */
  send(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#bytes = 0;
    const batch = this.#batch.splice(0);
    if (batch.length > 0) this.#sent = this.#sent.then(() => this.#post(`[${batch.join(",")}]`));
    return this.#sent;
  }

  #post(body: string): Promise<void> {
    const { port, host, pathname: path, search } = this.#destination;
    const forwarder = this.#forwarder;
    // In Lambda the only host is sandbox.localdomain, which is the sandbox itself.
    const options = {
      ...{ host: "127.0.0.1", port: port || 80, path: path + search, method: "POST" },
      headers: { host, "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      ...(forwarder ? { createConnection: () => forwarded(forwarder, port || "80") } : { agent: false }),
    };
    return new Promise((resolve) => {
      const request = httpRequest(options, (response) => response.resume().once("close", resolve));
      // The extension does not listen, or has ended: what was for it is lost, as in Lambda.
      request.once("error", () => resolve());
      request.end(body);
    });
  }
}

/** Connects to a port inside the sandbox. The first line tells `forward.mjs` which one. */
function forwarded(forwarder: string, port: string) {
  const connection = connect(forwarder);
  connection.write(`${port}\n`);
  return connection;
}
