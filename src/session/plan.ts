import type { OnEvent } from "../events.ts";

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
