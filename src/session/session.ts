import { homedir } from "node:os";
import { type Cache, openCache } from "../cache/cache.ts";
import { defaultCacheDirectory } from "../cache/location.ts";
import { LambdaPackError } from "../errors.ts";
import type { BuildEvent, OnEvent } from "../events.ts";
import { openLayout } from "../layout/directory.ts";
import { dockerArchiveSink, dockerArchiveSource } from "../layout/docker-archive.ts";
import { ociArchiveSink, ociArchiveSource } from "../layout/oci-archive.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import type { CredentialSource } from "../registry/auth/credentials.ts";
import type { ImageOrigin, Repository } from "../registry/repository.ts";
import type { Endpoint } from "./image-location.ts";
import { lazyRepository } from "./open-repository.ts";
import type { CommonOptions, Environment, Spent } from "./options.ts";

const DEFAULT_JOBS = 6;

/** The parts of a build that take time. */
export type Phase = keyof Spent;

/** What one build or push holds open: the cache, the repositories it speaks to, and how it reports. Closed once, at the end. */
export class Session {
  readonly environment: Environment;
  readonly cache: Cache;
  /** Blobs in flight at once. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Bytes that went to and came from registries and other media. */
  readonly moved = { sent: 0, received: 0 };
  /** Milliseconds that the parts of the work took so far. */
  readonly spent: Record<Phase, number> = { collect: 0, fingerprint: 0, pack: 0, send: 0 };
  readonly #options: CommonOptions;
  readonly #credentials: CredentialSource;
  readonly #repositories = new Map<string, Repository>();
  /** Registries that only an image named. */
  readonly #strangers = new Map<string, ImageOrigin>();
  readonly #sinks: ImageSink[] = [];
  readonly #startedAt = performance.now();

  private constructor(options: CommonOptions, environment: Environment, cache: Cache) {
    this.#options = options;
    this.environment = environment;
    this.cache = cache;
    this.jobs = jobsOf(options, environment);
    this.signal = options.signal ?? new AbortController().signal;
    this.#credentials = lazyCredentials(environment, this.emit);
  }

  private static async open(options: CommonOptions): Promise<Session> {
    const environment = options.environment ?? process.env;
    const directory =
      options.cacheDirectory ?? defaultCacheDirectory(environment, process.platform, homedir());
    const cache = await openCache({
      directory: options.cache === false ? undefined : directory,
      ...(options.onEvent && { onEvent: options.onEvent }),
    });
    return new Session(options, environment, cache);
  }

  /**
   * Does `work` in a session of its own, which is closed however it ends.
   * @throws ABORTED when the caller's signal ended it.
   */
  static async run<T>(options: CommonOptions, work: (session: Session) => Promise<T>): Promise<T> {
    if (options.signal?.aborted) throw stopped(options.signal.reason);
    const session = await Session.open(options);
    try {
      return await work(session);
    } catch (error) {
      throw options.signal?.aborted ? stopped(error) : error;
    } finally {
      await session.close();
    }
  }

  get offline(): boolean {
    return this.#options.offline === true;
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  readonly emit: OnEvent = (event: BuildEvent) => {
    if (event.type === "blob-done" && event.how === "uploaded") this.moved.sent += event.size;
    this.#options.onEvent?.(event);
  };

  /** A part of the work that began then (`performance.now`) ends now. */
  spend(phase: Phase, startedAt: number): void {
    this.spent[phase] += performance.now() - startedAt;
  }

  /**
   * Marks a registry that no user named but an image at `origin`. It is shown no credentials, and is reached only where a
   * redirect from there may lead.
   */
  distrust(registry: string, origin: ImageOrigin): void {
    this.#strangers.set(registry, origin);
  }

  source(endpoint: Endpoint): ImageSource {
    if (endpoint.kind === "registry") return this.#repository(endpoint.reference);
    if (endpoint.kind === "oci") return openLayout(endpoint.path);
    return endpoint.kind === "oci-archive"
      ? ociArchiveSource(endpoint.path)
      : dockerArchiveSource(endpoint.path);
  }

  sink(endpoint: Endpoint): ImageSink {
    const sink = this.#sinkOf(endpoint);
    this.#sinks.push(sink);
    return sink;
  }

  async close(): Promise<void> {
    const owned = [...new Set<ImageSink>([...this.#sinks, ...this.#repositories.values()])];
    await Promise.all(owned.map((sink) => sink.close()));
    await this.cache.close();
  }

  #sinkOf(endpoint: Endpoint): ImageSink {
    if (endpoint.kind === "registry") return this.#repository(endpoint.reference);
    if (endpoint.kind === "oci") return openLayout(endpoint.path);
    return endpoint.kind === "oci-archive" ? ociArchiveSink(endpoint.path) : dockerArchiveSink(endpoint.path);
  }

  #repository({
    registry,
    repository,
  }: {
    readonly registry: string;
    readonly repository: string;
  }): Repository {
    if (this.offline) {
      throw new LambdaPackError("OFFLINE", `${registry}/${repository} cannot be reached with --offline`, {
        hint: "leave out --offline, or use oci:DIR",
      });
    }
    const name = `${registry}/${repository}`;
    const known = this.#repositories.get(name);
    if (known) return known;
    const namedBy = this.#strangers.get(registry);
    const opened = lazyRepository({
      registry,
      repository,
      namedBy,
      credentials: namedBy ? NO_CREDENTIALS : this.#credentials,
      environment: this.environment,
      insecureRegistries: this.#options.insecureRegistries ?? [],
      jobs: this.jobs,
      onEvent: this.emit,
    });
    this.#repositories.set(name, opened);
    return opened;
  }
}

function stopped(cause: unknown): LambdaPackError {
  return new LambdaPackError("ABORTED", "stopped before the end", { cause });
}

function jobsOf({ jobs }: CommonOptions, environment: Environment): number {
  const text = environment["LAMBDA_PACK_JOBS"];
  const value = jobs ?? (text === undefined || text === "" ? DEFAULT_JOBS : Number(text));
  if (Number.isInteger(value) && value >= 1 && value <= 64) return value;
  throw new LambdaPackError(
    "USAGE",
    `${jobs === undefined ? "LAMBDA_PACK_JOBS" : "jobs"} should be a whole number from 1 to 64`,
  );
}

const NO_CREDENTIALS: CredentialSource = { get: async () => undefined };

/** Loaded when a registry first asks for them. */
function lazyCredentials(environment: Environment, onEvent: OnEvent): CredentialSource {
  let loading: Promise<CredentialSource> | undefined;
  return {
    async get(...wanted) {
      loading ??= import("./credentials.ts").then(({ credentialsOf }) => credentialsOf(environment, onEvent));
      return (await loading).get(...wanted);
    },
  };
}
