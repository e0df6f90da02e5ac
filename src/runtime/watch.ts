import { type FSWatcher, watch } from "node:fs";
import { hasCode } from "../errors.ts";

/** One save writes several times; editors write a second file and rename it. */
const SETTLE_MS = 40;

/**
 * Watches directories without what is below them. Node's recursive watch cannot leave out
 * node_modules or what is ignored, and has thousands of watches before the first change is seen.
 */
export class DirectoryWatch {
  readonly #onChange: () => void;
  readonly #onBlind: (directory: string, cause: unknown) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param onChange called once for changes that follow one another closely
   * @param onBlind called for a directory that the system does not watch
   */
  constructor(onChange: () => void, onBlind: (directory: string, cause: unknown) => void) {
    this.#onChange = onChange;
    this.#onBlind = onBlind;
  }

  /** From now on these directories are watched, and no others. */
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
      // A directory that is removed; the one above it tells of that.
      watcher.on("error", () => watcher.close());
      this.#watchers.set(directory, watcher);
    } catch (error) {
      // One that was removed since it was listed is no news.
      if (!hasCode(error, "ENOENT")) this.#onBlind(directory, error);
    }
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, SETTLE_MS);
  }
}
