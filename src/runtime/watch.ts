import { type FSWatcher, watch } from "node:fs";
import { hasCode } from "../errors.ts";

/** One save causes several events; editors also write a second file and rename it. */
const SETTLE_MS = 40;

/**
 * Watches directories without their subdirectories. Node's recursive watch cannot skip node_modules
 * or ignored files, and would need thousands of watches.
 */
export class DirectoryWatch {
  readonly #onChange: () => void;
  readonly #onUnwatched: (directory: string, cause: unknown) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param onChange called once for changes in quick succession
   * @param onUnwatched called for a directory that the system cannot watch
   */
  constructor(onChange: () => void, onUnwatched: (directory: string, cause: unknown) => void) {
    this.#onChange = onChange;
    this.#onUnwatched = onUnwatched;
  }

  /** Watches exactly these directories from now on. */
  set(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) if (!this.#watchers.has(directory)) this.#add(directory);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.set(new Set());
  }

  #add(directory: string): void {
    try {
      const watcher = watch(directory, () => this.#changed());
      // The directory was removed, which the watch of its parent reports.
      watcher.on("error", () => watcher.close());
      this.#watchers.set(directory, watcher);
    } catch (error) {
      // A directory that was removed since it was listed needs no warning.
      if (!hasCode(error, "ENOENT")) this.#onUnwatched(directory, error);
    }
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, SETTLE_MS);
  }
}
