import type { Cache } from "../cache/cache.ts";
import type { InstalledPackage, OnEvent } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { Entry } from "../tar/entry.ts";

/** The parameters of an installation. */
export interface InstallContext {
  readonly cache: Cache;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly insecureRegistries: readonly string[];
  readonly onEvent: OnEvent;
  readonly onProgress: (progress: Progress) => void;
  /** A directory that exists until the session ends. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * The files below the application's directory, sorted by path in byte order. Their contents exist
 * as long as the work directory.
 */
export interface InstalledFiles {
  readonly entries: readonly Entry[];
  readonly packages: readonly InstalledPackage[];
}

/** A planned installation for one target. Nothing is downloaded yet. */
export interface Installation {
  /** `npm-lock`, or the package manager that installs. */
  readonly way: string;
  readonly lockFile: string;
  /**
   * Identifies the files before the installation: the selected part of the lock, and the format of
   * the result. undefined if the lock does not determine the files.
   */
  readonly key: Digest | undefined;
  /**
   * Known before the installation if lambda-pack reads the lock; empty if a package manager does.
   */
  readonly packages: readonly InstalledPackage[];
  /** Paths below the application's directory with the result of an earlier installation. */
  readonly replaces: readonly string[];
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
  install(context: InstallContext): Promise<InstalledFiles>;
}

/** The progress of an installation. */
export interface Progress {
  readonly packages: number;
  /** Bytes received over the network. */
  readonly received: number;
  readonly files: number;
  /** The size of the files. */
  readonly bytes: number;
}
