import type { Position } from "./refuse.ts";

/** COPY and ADD: what is copied to where. Which files that means is decided by {@link resolveCopy}. */
export interface CopyStep extends Position {
  readonly kind: "copy";
  readonly keyword: "COPY" | "ADD";
  readonly from: CopySource;
  /** Paths and patterns as written, variables replaced. */
  readonly sources: readonly string[];
  /** Absolute path in the image, without a slash at its end. */
  readonly target: string;
  /** true: the target was written as a directory (`./`, `/var/task/`). */
  readonly intoDirectory: boolean;
  /** From `--chmod`: whether files are executable. undefined: as the source says. */
  readonly executable: boolean | undefined;
}

export type CopySource =
  | { readonly kind: "context" }
  /** A stage by its number in the file. */
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly reference: string };

/** Where packages are installed. */
export type InstallTarget =
  | { readonly kind: "directory"; readonly path: string }
  /** The directory in which the base's own Python looks. */
  | { readonly kind: "site-packages" }
  /** node_modules in this directory. */
  | { readonly kind: "node-modules"; readonly path: string };

/** An install of dependencies by a package manager, as its command line says it. Paths are absolute in the image. */
export interface InstallStep extends Position {
  readonly kind: "install";
  /** The command as written. */
  readonly command: string;
  readonly manager: "pip" | "uv" | "poetry" | "npm" | "pnpm" | "yarn";
  /** The directory in which it is run. */
  readonly directory: string;
  readonly target: InstallTarget;
  /** requirements.txt and its like. Empty: the lock file of `directory`, or `packages`. */
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  /** Names with versions: `requests>=2`. */
  readonly packages: readonly string[];
  /** The index, then more indexes; empty: the default one. */
  readonly indexes: readonly string[];
  /** false: only the named packages. */
  readonly dependencies: boolean;
  /** true: dependencies for development as well. */
  readonly dev: boolean;
  /** Optional groups and extras by name. */
  readonly groups: readonly string[];
}

/** A requirements file that a package manager writes from its lock. */
export interface ExportStep extends Position {
  readonly kind: "export";
  readonly command: string;
  readonly manager: "uv" | "poetry";
  readonly directory: string;
  /** The file that is written. */
  readonly output: string;
  readonly dev: boolean;
  readonly groups: readonly string[];
}

export interface MakeDirectoryStep extends Position {
  readonly kind: "mkdir";
  readonly path: string;
}

export interface ChangeModeStep extends Position {
  readonly kind: "chmod";
  readonly path: string;
  readonly recursive: boolean;
  readonly mode: ModeChange;
}

/** `rm` of what the stage itself has made; the files of the base stay. */
export interface RemoveStep extends Position {
  readonly kind: "remove";
  readonly path: string;
}

/** What chmod does to the one bit that an image keeps: whether the owner may execute the file. */
export type ModeChange = "executable" | "plain" | "unchanged";

export type Step = CopyStep | InstallStep | ExportStep | MakeDirectoryStep | ChangeModeStep | RemoveStep;
