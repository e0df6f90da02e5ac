import { homedir } from "node:os";
import { derivedSignal } from "../async/abortable.ts";
import { REAL_PACING } from "../async/retry.ts";
import { ecrCredentials, localEmulatorCredentials } from "../aws/ecr/ecr-credentials.ts";
import { type Cache, openCache } from "../cache/cache.ts";
import { LambdaPackError } from "../errors.ts";
import type { BuildEvent, OnEvent } from "../events.ts";
import { openLayout } from "../layout/directory.ts";
import { dockerArchiveSink, dockerArchiveSource } from "../layout/docker-archive.ts";
import { ociArchiveSink, ociArchiveSource } from "../layout/oci-archive.ts";
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import { type CredentialSource, firstOf, withFallback } from "../registry/auth/credentials.ts";
import { dockerCredentials } from "../registry/auth/docker-config.ts";
import { createThrottles } from "../registry/errors/throttle.ts";
import { BlobHolders } from "../registry/holders.ts";
import { timeoutsFor } from "../registry/http/idle-timer.ts";
import { type ImageOrigin, openRepository, type Repository } from "../registry/repository.ts";
import { type ImageLocation, unreachable } from "./image-location.ts";

/** Environment variables as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of one session. */
export interface SessionPlan {
  readonly environment: Environment;
  /** undefined: no cache is read or written. */
  readonly cacheDirectory: string | undefined;
  /** How many blobs are transferred at once. */
  readonly jobs: number;
  readonly offline: boolean;
  /** Hosts (`host:port`) that are reached over http, in addition to loopback. */
  readonly insecureRegistries: readonly string[];
  /** Seconds that a registry may be silent. */
  readonly registryTimeout: number;
  /** Hosts of token servers to which the registry's credentials may be sent. */
  readonly trustRealms: readonly string[];
  /** Hosts whose private addresses a registry may lead to. */
  readonly allowPrivate: readonly string[];
  readonly onEvent: OnEvent;
  /** The caller's signal; undefined: nothing aborts the run. */
  readonly signal: AbortSignal | undefined;
}

const FILES = {
  oci: { source: openLayout, sink: openLayout },
  "oci-archive": { source: ociArchiveSource, sink: ociArchiveSink },
  "docker-archive": { source: dockerArchiveSource, sink: dockerArchiveSink },
} as const;

/** What one run has open: the cache, and repositories and files of images. */
export class Session {
  readonly environment: Environment;
  readonly cache: Cache;
  /** How many blobs are transferred at once. */
  readonly jobs: number;
  readonly offline: boolean;
  /** Aborts with the caller's signal, and has no limit on its number of listeners. */
  readonly signal: AbortSignal;
  readonly totals = new TransferTotals();
  readonly times = new StepTimes();
  readonly #plan: SessionPlan;
  readonly #credentials: CredentialSource;
  readonly #repositories = new Map<string, Repository>();
  readonly #holders: BlobHolders;
  readonly #throttles = createThrottles(REAL_PACING);
  /** Registries that an image named, not the user. */
  readonly #untrusted = new Map<string, ImageOrigin>();
  readonly #sinks = new Set<ImageSink>();
  readonly #startedAt = performance.now();

  private constructor(plan: SessionPlan, cache: Cache) {
    this.#plan = plan;
    this.environment = plan.environment;
    this.cache = cache;
    this.jobs = plan.jobs;
    this.offline = plan.offline;
    this.signal = derivedSignal(plan.signal ?? new AbortController().signal);
    this.#credentials = credentialsOf(plan.environment, this.emit);
    this.#holders = new BlobHolders({
      find: cache.findHolder,
      // A failure is ignored, because this only saves work in later runs.
      remember: (...holder) => cache.rememberHolder(...holder).catch(() => undefined),
    });
  }

  /**
   * Runs `work` in a new session, and closes it afterwards.
   * @throws ABORTED if the caller's signal ended it.
   */
  static async run<T>(plan: SessionPlan, work: (session: Session) => Promise<T>): Promise<T> {
    const { cacheDirectory: directory, onEvent, signal } = plan;
    if (signal?.aborted) throw stopped(signal.reason);
    const session = new Session(plan, await openCache({ directory, onEvent }));
    try {
      return await work(session);
    } catch (error) {
      throw signal?.aborted ? stopped(error) : error;
    } finally {
      await session.#close();
    }
  }

  /** Hosts (`host:port`) that are reached over http, in addition to loopback. */
  get insecureRegistries(): readonly string[] {
    return this.#plan.insecureRegistries;
  }

  /** Milliseconds since the session was opened. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  readonly emit: OnEvent = (event: BuildEvent) => {
    this.totals.record(event);
    this.#plan.onEvent(event);
  };

  /**
   * Marks a registry that an image at `origin` named, not the user. It gets no credentials, and is
   * reached only where a redirect from `origin` may lead.
   */
  distrust(registry: string, origin: ImageOrigin): void {
    this.#untrusted.set(registry, origin);
  }

  /** Opens the source of an image. */
  source(location: ImageLocation): ImageSource {
    if (location.kind === "registry") return this.#repository(location.reference);
    return FILES[location.kind].source(location.path);
  }

  /** Opens the destination of an image; the session closes it. */
  sink(location: ImageLocation): ImageSink {
    if (location.kind === "registry") return this.#repository(location.reference);
    const sink = FILES[location.kind].sink(location.path);
    this.#sinks.add(sink);
    return sink;
  }

  /** Opens each repository once, so that its requests share a login and connections. */
  #repository({ registry, repository }: Reference): Repository {
    const name = `${registry}/${repository}`;
    if (this.offline) throw unreachable(name);
    const known = this.#repositories.get(name);
    if (known) return known;
    const { environment, insecureRegistries, jobs, registryTimeout } = this.#plan;
    const namedBy = this.#untrusted.get(registry);
    const opened = openRepository({
      ...{ registry, repository, environment, insecureRegistries, jobs },
      namedBy,
      holders: this.#holders,
      throttles: this.#throttles,
      timeouts: timeoutsFor(registryTimeout * 1000),
      trustedRealms: this.#plan.trustRealms,
      privateHosts: this.#plan.allowPrivate,
      credentials: namedBy ? NO_CREDENTIALS : this.#credentials,
      onEvent: this.emit,
    });
    this.#repositories.set(name, opened);
    return opened;
  }

  async #close(): Promise<void> {
    const owned = new Set<ImageSink>([...this.#sinks, ...this.#repositories.values()]);
    await Promise.all([...owned].map((sink) => sink.close()));
    await this.cache.close();
  }
}

/**
 * DOCKER_AUTH_CONFIG comes first, because it was set for this run. Then for ECR: a helper that is
 * configured for the host, then the AWS SDK, then what `docker login` stored, which expires after
 * 12 hours (amazon-ecr-credential-helper, README). For other registries: docker's own order.
 */
function credentialsOf(environment: Environment, onEvent: OnEvent): CredentialSource {
  const home = homedir();
  return firstOf(
    dockerCredentials(environment, home, "variable"),
    dockerCredentials(environment, home, "helpers"),
    withFallback(ecrCredentials({ environment, onEvent }), dockerCredentials(environment, home, "stored")),
    localEmulatorCredentials({ environment, onEvent }),
  );
}

const NO_CREDENTIALS: CredentialSource = { get: async () => undefined };

function stopped(cause: unknown): LambdaPackError {
  return new LambdaPackError("ABORTED", "stopped before the end", { cause });
}

/** Adds up, from a run's events, the bytes sent to and received from registries and files. */
class TransferTotals {
  #sent = 0;
  readonly #received = new Map<Digest, number>();

  record(event: BuildEvent): void {
    if (event.type === "blob-done" && event.how === "uploaded") this.#sent += event.size;
    // `received` is absolute, and starts again from zero when a download is repeated.
    if (event.type === "download-progress") this.#received.set(event.digest, event.received);
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return [...this.#received.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}

/** The steps of a build that take time. */
export type Step = (typeof STEPS)[number];

const STEPS = ["install", "collect", "fingerprint", "pack", "send"] as const;

/** Adds up how long each step took, in milliseconds. Parallel parts each count in full. */
class StepTimes {
  readonly #ms: Record<Step, number> = { install: 0, collect: 0, fingerprint: 0, pack: 0, send: 0 };

  /** Starts measuring a part of the step. Call the returned function when that part has ended. */
  start(step: Step): () => void {
    const startedAt = performance.now();
    return () => {
      this.#ms[step] += performance.now() - startedAt;
    };
  }

  /** Runs `work`, and measures it as a part of the step. */
  async measure<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const stop = this.start(step);
    try {
      return await work();
    } finally {
      stop();
    }
  }

  /** Returns the whole milliseconds of each step so far. */
  rounded(): Readonly<Record<Step, number>> {
    const rounded = { ...this.#ms };
    for (const step of STEPS) rounded[step] = Math.round(rounded[step]);
    return rounded;
  }
}
