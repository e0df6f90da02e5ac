import type { Cache } from "../cache/cache.ts";
import type { InstalledPackage, OnEvent } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { Entry } from "../tar/entry.ts";

/** What an installation works with. */
export interface InstallContext {
  readonly cache: Cache;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly insecureRegistries: readonly string[];
  readonly onEvent: OnEvent;
  readonly onProgress: (progress: Progress) => void;
  /** A directory that is there until the session ends. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * Files below the application's directory, sorted by the bytes of their paths; their contents last
 * as long as the work directory.
 */
export interface InstalledFiles {
  readonly entries: readonly Entry[];
  readonly packages: readonly InstalledPackage[];
}

/** What `--install` does for one target. Nothing was fetched yet. */
export interface Installation {
  /** `npm-lock`, or the package manager that does it. */
  readonly way: string;
  readonly lockFile: string;
  /**
   * Names the files before they are there: the wanted part of the lock, and what unpacks it.
   * undefined where the lock leaves something open, so that another day may give other files.
   */
  readonly key: Digest | undefined;
  /**
   * Known before the installation where the lock is read here; empty where a package manager reads
   * it.
   */
  readonly packages: readonly InstalledPackage[];
  /** Paths below the application's directory that hold what an earlier installation left there. */
  readonly replaces: readonly string[];
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
  install(context: InstallContext): Promise<InstalledFiles>;
}

/** How far an installation is. */
export interface Progress {
  readonly packages: number;
  /** Bytes that came from the network. */
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** What one package of an installation came to. */
export interface InstalledArchive {
  /** Bytes of the archive. */
  readonly size: number;
  /** Bytes that came from the network. */
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** Adds archives up, and shows the sum after each. */
export function createProgress(onProgress: ((progress: Progress) => void) | undefined): {
  add(archive: InstalledArchive): void;
} {
  let sum: Progress = { packages: 0, received: 0, files: 0, bytes: 0 };
  return {
    add({ received, files, bytes }) {
      sum = {
        packages: sum.packages + 1,
        received: sum.received + received,
        files: sum.files + files,
        bytes: sum.bytes + bytes,
      };
      onProgress?.(sum);
    },
  };
}
