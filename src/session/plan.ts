import type { OnEvent } from "../events.ts";

/** Environment variables as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What one run works with: where it keeps blobs, whom it may ask and who hears of it. */
export interface SessionPlan {
  readonly environment: Environment;
  /** undefined: nothing is read from or left in a cache. */
  readonly cacheDirectory: string | undefined;
  /** Blobs in flight at once. */
  readonly jobs: number;
  readonly offline: boolean;
  /** Hosts (`host:port`) that are spoken to over http, beside loopback. */
  readonly insecureRegistries: readonly string[];
  /** Seconds that a registry may be silent. */
  readonly registryTimeout: number;
  /** Hosts of token servers that may have the credentials of the registry. */
  readonly trustRealms: readonly string[];
  /** Hosts that a registry may lead to although their addresses are private. */
  readonly allowPrivate: readonly string[];
  readonly onEvent: OnEvent;
  /** The caller's own. undefined: nothing aborts the run. */
  readonly signal: AbortSignal | undefined;
}
