import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, digestOf, isDigest } from "../../src/oci/digest.ts";

/** What a request is about, in the words of distribution-spec's table of end-points. */
export type RequestKind =
  | "ping"
  | "token"
  | "head manifest"
  | "get manifest"
  | "put manifest"
  | "head blob"
  | "get blob"
  | "start upload"
  | "mount"
  | "patch upload"
  | "put upload"
  | "upload status"
  | "cancel upload"
  | "tags"
  | "redirected blob"
  | "other";

/** One request as the registry saw it. */
export interface Seen {
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly repository: string;
  /** Tag or digest at the end of the path. */
  readonly reference: string;
  /** The how-manieth of its kind, from 1. */
  readonly count: number;
  /** Bytes of its body that arrived; grows while they come. */
  received: number;
}

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

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface TestRegistryOptions {
  /** Default anonymous. Basic takes `user` and `password`; token sends to `/token`, which takes them too and lets anybody pull. */
  readonly auth?: "anonymous" | "basic" | "token";
  readonly user?: string;
  readonly password?: string;
  /** Seconds a token lives. Default 300. */
  readonly tokenSeconds?: number;
  /**
   * What a cut leaves of an upload: `kept` like distribution 3 (the bytes stay, GET tells how many, offsets are checked),
   * `lost` like distribution 2.8 (the session is gone, offsets are not checked). Default kept.
   */
  readonly sessions?: "kept" | "lost";
  /** Blobs are served by a second origin that refuses any Authorization, as S3 does behind ECR. */
  readonly redirectBlobs?: boolean;
  /** Sent with the answer to POST. */
  readonly minChunk?: number;
  /** Writes `Location` as an absolute URL. Default false. */
  readonly absoluteLocations?: boolean;
  readonly readOnly?: boolean;
  /** Tags that exist cannot be written again, not even with the same manifest (as ECR has it). */
  readonly immutableTags?: boolean;
  /** Something in front of the registry refuses larger bodies with 413 (nginx: client_max_body_size), and the registry never sees them. */
  readonly largestBody?: number;
  /** Repositories that exist; others are NAME_UNKNOWN. Default: every one. */
  readonly repositories?: readonly string[];
}

interface Upload {
  readonly repository: string;
  bytes: Buffer[];
  size: number;
  /** Bytes at the time of the last Location: distribution 2.8 takes no older one. */
  state: number;
}

/** A connection is closed without an answer. */
class Hangup extends Error {}

/** A small honest Distribution on a free loopback port: it checks what a real one checks. Stops by itself with the process. */
export class TestRegistry {
  readonly requests: Seen[] = [];
  /** Decides, with the request's head and before its body, what happens to it. */
  fault: (request: Seen) => Fault | undefined = () => undefined;
  readonly options: TestRegistryOptions;
  readonly uploads = new Map<string, Upload>();
  /** Requests that {@link TestRegistryOptions.largestBody} kept from it. */
  tooLarge = 0;
  readonly #blobs = new Map<string, Map<string, Buffer>>();
  readonly #manifests = new Map<string, Map<string, { readonly type: string; readonly bytes: Buffer }>>();
  readonly #tags = new Map<string, Map<string, Digest>>();
  readonly #tokens = new Map<string, { readonly scopes: string; readonly until: number }>();
  readonly #server: Server;
  readonly #blobServer: Server;

  private constructor(options: TestRegistryOptions) {
    this.options = options;
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

  blob(repository: string, digest: string): Buffer | undefined {
    return this.#blobs.get(repository)?.get(digest);
  }

  addBlob(repository: string, bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    this.#in(this.#blobs, repository).set(digest, Buffer.from(bytes));
    return digest;
  }

  removeBlob(repository: string, digest: string): void {
    this.#blobs.get(repository)?.delete(digest);
  }

  manifest(repository: string, reference: string): Buffer | undefined {
    return this.#find(repository, reference)?.bytes;
  }

  /** The digest a tag names. */
  tag(repository: string, tag: string): Digest | undefined {
    return this.#tags.get(repository)?.get(tag);
  }

  addManifest(repository: string, type: string, content: unknown, ...tags: readonly string[]): Digest {
    const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    this.#in(this.#manifests, repository).set(digest, { type, bytes });
    for (const tag of tags) this.#in(this.#tags, repository).set(tag, digest);
    return digest;
  }

  /** No token is good any more. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  #in<V>(map: Map<string, Map<string, V>>, repository: string): Map<string, V> {
    const inner = map.get(repository) ?? new Map<string, V>();
    map.set(repository, inner);
    return inner;
  }

  #find(repository: string, reference: string) {
    const digest = isDigest(reference) ? reference : this.tag(repository, reference);
    return digest === undefined ? undefined : this.#manifests.get(repository)?.get(digest);
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
    const denied = this.#authorize(seen);
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
        return this.#token(seen);
      case "head manifest":
      case "get manifest":
        return this.#getManifest(seen);
      case "put manifest":
        return this.#putManifest(seen, await readAll(request, seen));
      case "head blob":
      case "get blob":
      case "redirected blob":
        return this.#getBlob(seen);
      case "start upload":
      case "mount":
        return this.#startUpload(seen);
      case "patch upload":
      case "put upload":
        return this.#upload(request, seen, cutAt);
      case "upload status":
        return this.#status(seen);
      case "cancel upload":
        return this.#uploads(seen, (id) => {
          this.uploads.delete(id);
          return { status: 204 };
        });
      case "tags":
        return json(200, {
          name: seen.repository,
          tags: [...(this.#tags.get(seen.repository)?.keys() ?? [])],
        });
      case "other":
        return problem(404, "UNSUPPORTED", "no such end-point");
    }
  }

  #getManifest(seen: Seen): Answer {
    const found = this.#find(seen.repository, seen.reference);
    // A registry hides what was not asked for (distribution 2.8 and 3, olareg).
    if (!found || !(seen.headers.accept ?? "").includes(found.type))
      return problem(404, "MANIFEST_UNKNOWN", "manifest unknown");
    const headers = {
      "content-type": found.type,
      "docker-content-digest": digestOf(found.bytes),
      "content-length": String(found.bytes.length),
    };
    return { status: 200, headers, body: found.bytes };
  }

  #putManifest(seen: Seen, bytes: Buffer): Answer {
    const { repository, reference } = seen;
    if (bytes.length > 4 * 1024 * 1024) return problem(400, "MANIFEST_INVALID", "request body too large");
    const document = parse(bytes);
    const type = seen.headers["content-type"] ?? "";
    if (!document || (document.mediaType !== undefined && document.mediaType !== type)) {
      return problem(400, "MANIFEST_INVALID", "manifest invalid");
    }
    const digest = digestOf(bytes);
    if (isDigest(reference) && reference !== digest)
      return problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    const named = [document.config, ...(document.layers ?? [])].flatMap((part) => part?.digest ?? []);
    const missing = named.filter((part) => this.blob(repository, part) === undefined);
    if (missing.length > 0) return missingBlobs(missing);
    const taken =
      this.options.immutableTags && !isDigest(reference) && this.tag(repository, reference) !== undefined;
    if (taken) {
      return problem(
        400,
        "TAG_INVALID",
        `The image tag '${reference}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
      );
    }
    this.addManifest(repository, type, bytes, ...(isDigest(reference) ? [] : [reference]));
    return {
      status: 201,
      headers: { "docker-content-digest": digest, location: `/v2/${repository}/manifests/${digest}` },
    };
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

  #startUpload(seen: Seen): Answer {
    const from = seen.query.get("from");
    const mounted = from === null ? undefined : this.blob(from, seen.query.get("mount") ?? "");
    if (mounted) {
      const digest = this.addBlob(seen.repository, mounted);
      return {
        status: 201,
        headers: { "docker-content-digest": digest, location: `/v2/${seen.repository}/blobs/${digest}` },
      };
    }
    const id = randomUUID();
    this.uploads.set(id, { repository: seen.repository, bytes: [], size: 0, state: 0 });
    const { minChunk } = this.options;
    return this.#accepted(
      id,
      202,
      minChunk === undefined ? {} : { "oci-chunk-min-length": String(minChunk) },
    );
  }

  #accepted(id: string, status: number, more: Readonly<Record<string, string>> = {}): Answer {
    const upload = this.uploads.get(id);
    const { repository = "", size = 0 } = upload ?? {};
    if (upload) upload.state = size;
    const path = `/v2/${repository}/blobs/uploads/${id}?_state=${size}`;
    const location = this.options.absoluteLocations ? `http://${this.host}${path}` : path;
    return {
      status,
      headers: { location, range: `0-${Math.max(0, size - 1)}`, "docker-upload-uuid": id, ...more },
    };
  }

  #uploads(seen: Seen, then: (id: string, upload: Upload) => Answer): Answer {
    const upload = this.uploads.get(seen.reference);
    if (!upload) return problem(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    const stale = this.options.sessions === "lost" && Number(seen.query.get("_state")) !== upload.size;
    // distribution 2.8: bytes that came after the Location was written make it worthless, and the session with it.
    if (stale) {
      this.uploads.delete(seen.reference);
      return problem(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    }
    return then(seen.reference, upload);
  }

  #status(seen: Seen): Answer {
    return this.#uploads(seen, (id) => this.#accepted(id, 204));
  }

  async #upload(request: IncomingMessage, seen: Seen, cutAt: number | undefined): Promise<Answer> {
    const refused = this.#uploads(seen, (_, { size }) => this.#placed(seen, size));
    const upload = this.uploads.get(seen.reference);
    if (refused.status !== 200 || !upload) {
      await readAll(request, seen);
      return refused;
    }
    const bytes = await readAll(request, seen, cutAt);
    upload.bytes.push(bytes);
    upload.size += bytes.length;
    if (cutAt !== undefined && cutAt < Number(request.headers["content-length"])) throw new Hangup();
    return seen.kind === "patch upload" ? this.#accepted(seen.reference, 202) : this.#finish(seen, upload);
  }

  /** 200 where the chunk is at the right place. */
  #placed(seen: Seen, size: number): Answer {
    const range = seen.headers["content-range"];
    if (range === undefined || this.options.sessions === "lost") return { status: 200 };
    const first = /^(\d+)-\d+$/.exec(range)?.[1];
    if (Number(first) === size) return { status: 200 };
    const { headers = {} } = this.#accepted(seen.reference, 416);
    return { ...problem(416, "RANGE_INVALID", "invalid content range"), headers };
  }

  #finish(seen: Seen, upload: Upload): Answer {
    const digest = seen.query.get("digest") ?? "";
    const bytes = Buffer.concat(upload.bytes);
    if (digestOf(bytes) !== digest)
      return problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    this.uploads.delete(seen.reference);
    this.addBlob(upload.repository, bytes);
    return {
      status: 201,
      headers: { "docker-content-digest": digest, location: `/v2/${upload.repository}/blobs/${digest}` },
    };
  }

  #token(seen: Seen): Answer {
    const scopes = seen.query.getAll("scope").join(" ");
    const known = seen.headers.authorization === basic(this.options);
    if (seen.headers.authorization !== undefined && !known)
      return problem(401, "UNAUTHORIZED", "incorrect username or password");
    const granted = known ? scopes : scopes.replace(/,push\b|:push\b/g, "");
    const token = randomUUID();
    const { tokenSeconds = 300 } = this.options;
    this.#tokens.set(token, { scopes: granted, until: Date.now() + tokenSeconds * 1000 });
    return json(200, { token, expires_in: tokenSeconds, issued_at: new Date().toISOString() });
  }

  /** undefined: the request may go on. */
  #authorize(seen: Seen): Answer | undefined {
    const { auth = "anonymous" } = this.options;
    if (auth === "anonymous" || seen.kind === "token" || seen.kind === "redirected blob") return undefined;
    if (auth === "basic") {
      if (seen.headers.authorization === basic(this.options)) return undefined;
      return challenge('Basic realm="test registry"');
    }
    const held = this.#tokens.get((seen.headers.authorization ?? "").replace(/^Bearer /, ""));
    const action = ["GET", "HEAD"].includes(seen.method) ? "pull" : "push";
    const scope = `repository:${seen.repository}:${action === "pull" ? "pull" : "pull,push"}`;
    const good =
      held !== undefined &&
      held.until > Date.now() &&
      (seen.kind === "ping" || grants(held.scopes, seen.repository, action));
    if (good) return undefined;
    const asked = seen.kind === "ping" ? "" : `,scope="${scope}"`;
    return challenge(`Bearer realm="http://${this.host}/token",service="test registry"${asked}`);
  }
}

async function writeBody(
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

function grants(scopes: string, repository: string, action: string): boolean {
  return scopes.split(" ").some(
    (scope) =>
      scope.startsWith(`repository:${repository}:`) &&
      scope
        .slice(scope.lastIndexOf(":") + 1)
        .split(",")
        .includes(action),
  );
}

function basic({ user = "user", password = "password" }: TestRegistryOptions): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function challenge(header: string): Answer {
  const refused = problem(401, "UNAUTHORIZED", "authentication required");
  return { ...refused, headers: { ...refused.headers, "www-authenticate": header } };
}

function targetOf(
  method: string,
  url: URL,
  redirected: boolean,
): Pick<Seen, "kind" | "repository" | "reference"> {
  const path = url.pathname;
  const read = method === "HEAD" ? "head" : "get";
  if (redirected) {
    const cut = path.lastIndexOf("/");
    return {
      kind: "redirected blob",
      repository: path.slice(1, cut),
      reference: decodeURIComponent(path.slice(cut + 1)),
    };
  }
  if (path === "/v2/") return { kind: "ping", repository: "", reference: "" };
  if (path === "/token") return { kind: "token", repository: "", reference: "" };
  const [, repository = "", what = "", reference = ""] =
    /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags)\/([^/]*)$/.exec(path) ?? [];
  const at = { repository, reference: decodeURIComponent(reference) };
  if (what === "manifests") return { kind: method === "PUT" ? "put manifest" : `${read} manifest`, ...at };
  if (what === "blobs" && ["GET", "HEAD"].includes(method)) return { kind: `${read} blob`, ...at };
  if (what === "tags") return { kind: "tags", ...at };
  return { kind: what === "blobs/uploads" ? uploadKind(method, url) : "other", ...at };
}

function uploadKind(method: string, url: URL): RequestKind {
  const kinds: Readonly<Record<string, RequestKind>> = {
    POST: url.searchParams.has("mount") ? "mount" : "start upload",
    PATCH: "patch upload",
    PUT: "put upload",
    GET: "upload status",
    DELETE: "cancel upload",
  };
  return kinds[method] ?? "other";
}

/** Reads the body; with `cutAt`, that many bytes of it. */
async function readAll(
  request: IncomingMessage,
  seen: Seen,
  cutAt = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (cutAt === 0) return Buffer.alloc(0);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const kept = chunk.subarray(0, cutAt - seen.received);
      seen.received += kept.length;
      chunks.push(kept);
      if (seen.received >= cutAt) break;
    }
  } catch {
    throw new Hangup();
  }
  return Buffer.concat(chunks);
}

function ranged(bytes: Buffer, digest: string, range: string | undefined): Answer {
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
  };
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  if (!match)
    return { status: 200, headers: { ...headers, "content-length": String(bytes.length) }, body: bytes };
  const first = Number(match[1]);
  const last = match[2] === "" ? bytes.length - 1 : Math.min(bytes.length - 1, Number(match[2]));
  if (first >= bytes.length) return { status: 416, headers: { "content-range": `bytes */${bytes.length}` } };
  const body = bytes.subarray(first, last + 1);
  return {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${first}-${last}/${bytes.length}`,
      "content-length": String(body.length),
    },
    body,
  };
}

interface ManifestDocument {
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

function parse(bytes: Buffer): ManifestDocument | undefined {
  try {
    return JSON.parse(bytes.toString("utf8")) as ManifestDocument;
  } catch {
    return undefined;
  }
}

function missingBlobs(digests: readonly string[]): Answer {
  const errors = digests.map((digest) => ({
    code: "MANIFEST_BLOB_UNKNOWN",
    message: "blob unknown to registry",
    detail: { digest },
  }));
  return json(400, { errors });
}

/** A refusal in the form of distribution-spec "Error Codes". */
export function problem(
  status: number,
  code: string,
  message = code.toLowerCase(),
): Answer & { readonly headers: Record<string, string>; readonly body: Buffer } {
  return json(status, { errors: [{ code, message }] });
}

function json(status: number, value: unknown) {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  };
}
