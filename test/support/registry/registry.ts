import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, json, problem, ranged } from "./answer.ts";
import { type Fault, writeBody } from "./fault.ts";
import { Hangup, type RequestKind, readAll, type Seen, targetOf } from "./request.ts";
import { getManifest, putManifest, Storage } from "./storage.ts";
import { type AuthOptions, Tokens } from "./tokens.ts";
import { type UploadOptions, Uploads } from "./uploads.ts";

export interface TestRegistryOptions extends AuthOptions, UploadOptions {
  /** Blobs are served by a second origin that refuses any Authorization, as S3 does behind ECR. */
  readonly redirectBlobs?: boolean;
  readonly readOnly?: boolean;
  /** Tags that exist cannot be written again, not even with the same manifest (as ECR has it). */
  readonly immutableTags?: boolean;
  /** Something in front of the registry refuses larger bodies with 413 (nginx: client_max_body_size), and the registry never sees them. */
  readonly largestBody?: number;
  /** Repositories that exist; others are NAME_UNKNOWN. Default: every one. */
  readonly repositories?: readonly string[];
}

/** A small honest Distribution on a free loopback port: it checks what a real one checks. Stops by itself with the process. */
export class TestRegistry extends Storage {
  readonly requests: Seen[] = [];
  /** Decides, with the request's head and before its body, what happens to it. */
  fault: (request: Seen) => Fault | undefined = () => undefined;
  readonly options: TestRegistryOptions;
  /** Requests that {@link TestRegistryOptions.largestBody} kept from it. */
  tooLarge = 0;
  readonly #uploads: Uploads;
  readonly #tokens: Tokens;
  readonly #server: Server;
  readonly #blobServer: Server;

  private constructor(options: TestRegistryOptions) {
    super();
    this.options = options;
    this.#uploads = new Uploads(options, this, () => this.host);
    this.#tokens = new Tokens(options, () => this.host);
    this.#server = createServer((request, response) => void this.#serve(request, response, false));
    this.#blobServer = createServer((request, response) => void this.#serve(request, response, true));
    for (const server of [this.#server, this.#blobServer]) server.unref();
  }

  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    for (const server of [registry.#server, registry.#blobServer]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    return registry;
  }

  /** `127.0.0.1:port`, as a reference names it. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where blobs are redirected to. */
  get blobHost(): string {
    return `127.0.0.1:${(this.#blobServer.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#blobServer]) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }

  /** The requests of these kinds, in order; all without. */
  seen(...kinds: readonly RequestKind[]): readonly Seen[] {
    return kinds.length === 0 ? this.requests : this.requests.filter(({ kind }) => kinds.includes(kind));
  }

  /** Bytes of blobs that came in, sent twice counted twice. */
  get bytesReceived(): number {
    return this.seen("patch upload", "put upload").reduce((sum, { received }) => sum + received, 0);
  }

  /** Uploads that are not finished, by id. */
  get uploads(): Uploads["open"] {
    return this.#uploads.open;
  }

  /** No token is good any more. */
  revokeTokens(): void {
    this.#tokens.revoke();
  }

  async #serve(request: IncomingMessage, response: ServerResponse, redirected: boolean): Promise<void> {
    if (
      Number(request.headers["content-length"] ?? 0) > (this.options.largestBody ?? Number.POSITIVE_INFINITY)
    ) {
      this.tooLarge += 1;
      response.writeHead(413, { "content-type": "text/html" });
      // As nginx does ("lingering_close"): what is still sent is read, so that the answer is not lost with a reset.
      request.resume();
      return void response.end("<html><h1>413 Request Entity Too Large</h1></html>");
    }
    const seen = this.#note(request, redirected);
    // Once a body is given up half-way, the request has no socket any more.
    const { socket } = request;
    const fault = this.fault(seen);
    try {
      const answer = await this.#answer(request, seen, fault);
      await this.#reply(request, response, answer, fault);
    } catch (error) {
      if (!(error instanceof Hangup) && !socket.destroyed) this.#fail(response, error);
      else socket.destroy();
    }
  }

  #fail(response: ServerResponse, error: unknown): void {
    response.writeHead(500).end(`the test registry itself failed: ${String(error)}`);
  }

  #note(request: IncomingMessage, redirected: boolean): Seen {
    const url = new URL(request.url ?? "/", "http://registry");
    const method = request.method ?? "";
    const target = targetOf(method, url, redirected);
    const count = this.seen(target.kind).length + 1;
    const seen: Seen = {
      ...target,
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      count,
      received: 0,
    };
    this.requests.push(seen);
    return seen;
  }

  async #answer(request: IncomingMessage, seen: Seen, fault: Fault | undefined): Promise<Answer> {
    if (fault?.kind === "drop") throw new Hangup();
    if (fault?.kind === "silence") return await new Promise<never>(() => {});
    if (fault?.kind === "answer") {
      if (!fault.early) await readAll(request, seen);
      return { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? "") };
    }
    const denied = this.#tokens.refuse(seen);
    if (denied) {
      await readAll(request, seen);
      return denied;
    }
    return this.#route(request, seen, fault?.kind === "cut request" ? fault.at : undefined);
  }

  async #reply(
    request: IncomingMessage,
    response: ServerResponse,
    honest: Answer,
    fault: Fault | undefined,
  ): Promise<void> {
    if (fault?.kind === "lose answer") throw new Hangup();
    if (fault?.kind === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const answer = fault?.kind === "change" ? fault.change(honest) : honest;
    const body = answer.body ?? Buffer.alloc(0);
    const early = fault?.kind === "answer" && fault.early;
    // HEAD and 204 say what a GET would have had; their bodies stay here.
    const bodiless = request.method === "HEAD" || answer.status === 204;
    const unsized = bodiless || answer.headers?.["transfer-encoding"] !== undefined;
    response.writeHead(answer.status, {
      "docker-distribution-api-version": "registry/2.0",
      ...(!unsized && { "content-length": String(body.length) }),
      ...(early && { connection: "close" }),
      ...answer.headers,
    });
    await (bodiless ? response.end() : writeBody(response, body, fault));
  }

  async #route(request: IncomingMessage, seen: Seen, cutAt: number | undefined): Promise<Answer> {
    const writes = !["GET", "HEAD"].includes(seen.method);
    const known = this.options.repositories?.includes(seen.repository) ?? true;
    if (seen.kind !== "ping" && seen.kind !== "token" && !known) {
      await readAll(request, seen);
      return problem(
        404,
        "NAME_UNKNOWN",
        `The repository with name '${seen.repository}' does not exist in the registry`,
      );
    }
    if (writes && this.options.readOnly) {
      await readAll(request, seen);
      return {
        status: 405,
        headers: { "content-type": "text/plain" },
        body: Buffer.from("Method not allowed\n"),
      };
    }
    switch (seen.kind) {
      case "ping":
        return json(200, {});
      case "token":
        return this.#tokens.give(seen);
      case "head manifest":
      case "get manifest":
        return getManifest(this, seen);
      case "put manifest":
        return putManifest(this, seen, await readAll(request, seen), this.options.immutableTags ?? false);
      case "head blob":
      case "get blob":
      case "redirected blob":
        return this.#getBlob(seen);
      case "start upload":
      case "mount":
        return this.#uploads.start(seen);
      case "patch upload":
      case "put upload":
        return this.#uploads.write(request, seen, cutAt);
      case "upload status":
        return this.#uploads.status(seen);
      case "cancel upload":
        return this.#uploads.cancel(seen);
      case "tags":
        return json(200, { name: seen.repository, tags: this.tagsOf(seen.repository) });
      case "other":
        return problem(404, "UNSUPPORTED", "no such end-point");
    }
  }

  #getBlob(seen: Seen): Answer {
    const bytes = this.blob(seen.repository, seen.reference);
    if (!bytes) return problem(404, "BLOB_UNKNOWN", "blob unknown to registry");
    if (seen.kind === "redirected blob" && seen.headers.authorization !== undefined) {
      return {
        status: 400,
        body: Buffer.from(
          "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
        ),
      };
    }
    if (seen.kind === "get blob" && this.options.redirectBlobs) {
      const location = `http://${this.blobHost}/${seen.repository}/${seen.reference}?X-Amz-Signature=${randomUUID()}`;
      return { status: 307, headers: { location } };
    }
    return ranged(bytes, seen.reference, seen.headers.range);
  }
}
