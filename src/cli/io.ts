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

/** Where text goes: a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** The same, which may have to be loaded first. */
type Later<F extends (...args: never) => unknown> = (
  ...args: Parameters<F>
) => ReturnType<F> | Promise<ReturnType<F>>;

/** What the commands call: the programmatic interface and nothing behind it. */
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

/** All that the command line touches of the world. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Ends the process now; called only where open handles keep it running. */
  readonly exit: (status: number) => void;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  /**
   * Loads the programmatic interface, with everything heavy behind it; called once a command is
   * understood.
   */
  readonly load: () => Promise<Api>;
}

/**
 * Afterwards `text` has been handed over, or its reader has gone. Throws what a full disk throws.
 */
export function write(output: Output, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error?: Error | null) => {
      if (error && !hasCode(error, "EPIPE", "ERR_STREAM_DESTROYED")) reject(error);
      else resolve();
    });
  });
}
