import type { EventEmitter } from "node:events";
import { hasCode } from "../errors.ts";
import type {
  build,
  buildFunctions,
  cacheInfo,
  check,
  checkFunctions,
  createRepository,
  deploy,
  deployFunctions,
  dev,
  diff,
  Environment,
  iamPolicy,
  importDockerfile,
  inspect,
  inspectionPage,
  invoke,
  listBases,
  prune,
  pruneCache,
  push,
  repositoryPolicy,
  showConfig,
  status,
  verifyCache,
} from "../index.ts";

/** A stream for text: a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** The same function, which may have to be imported first. */
type Later<F extends (...args: never) => unknown> = (
  ...args: Parameters<F>
) => ReturnType<F> | Promise<ReturnType<F>>;

/** The functions of the public API that the commands call. */
export interface Api {
  readonly build: typeof build;
  readonly buildFunctions: typeof buildFunctions;
  readonly checkFunctions: typeof checkFunctions;
  readonly deployFunctions: typeof deployFunctions;
  readonly showConfig: Later<typeof showConfig>;
  readonly importDockerfile: Later<typeof importDockerfile>;
  readonly push: typeof push;
  readonly check: typeof check;
  readonly listBases: typeof listBases;
  readonly createRepository: typeof createRepository;
  readonly repositoryPolicy: typeof repositoryPolicy;
  readonly iamPolicy: Later<typeof iamPolicy>;
  readonly deploy: typeof deploy;
  readonly status: typeof status;
  readonly prune: typeof prune;
  readonly cacheInfo: typeof cacheInfo;
  readonly pruneCache: typeof pruneCache;
  readonly verifyCache: typeof verifyCache;
  readonly inspect: typeof inspect;
  readonly invoke: typeof invoke;
  readonly dev: typeof dev;
  readonly diff: typeof diff;
  readonly inspectionPage: Later<typeof inspectionPage>;
}

/** The streams, environment and other inputs of the command line. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Ends the process at once; called only if the work does not stop after a signal. */
  readonly exit: (status: number) => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Imports the public API and everything behind it; called after the command line was parsed. */
  readonly load: () => Promise<Api>;
}

/**
 * Writes `text` and waits until it was handed over. A closed reader is not an error; a full disk
 * is.
 */
export function write(output: Output, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error?: Error | null) => {
      if (error && !hasCode(error, "EPIPE", "ERR_STREAM_DESTROYED")) reject(error);
      else resolve();
    });
  });
}
