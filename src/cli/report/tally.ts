import type { BlobHow, BuildEvent } from "../../events.ts";
import { formatBytes } from "../text/format.ts";
import { Progress } from "./progress.ts";

interface Moved {
  readonly blobs: number;
  readonly bytes: number;
}

/** Adds the events up: what is under way now, and what each destination was given. */
export class Tally {
  /** What is being done while no bytes are moving. */
  #phase = "starting";
  /**
   * Columns that the longest function's name and region take, so that lines about several stand in
   * a table.
   */
  functionColumns = 0;
  readonly #progress = new Progress();
  readonly #destinations = new Map<string, Map<BlobHow, Moved>>();

  add(event: BuildEvent, now: number): void {
    this.#progress.add(event, now);
    this.#phase = phaseOf(event) ?? this.#phase;
    if (event.type === "blob-done") this.#count(event);
    if (event.type === "function-step" || event.type === "function-state" || event.type === "function-done")
      this.functionColumns = Math.max(this.functionColumns, event.function.length + event.region.length + 1);
  }

  /** One line of what is under way: `packing 41 % · 49 MB of 120 MB`. */
  line(now: number): string {
    return this.#progress.line(now) ?? this.#phase;
  }

  /** The same with a bar, for a terminal of so many columns. */
  bar(now: number, columns: number): string {
    return this.#progress.bar(now, columns) ?? this.#phase;
  }

  /** Whether bytes are under way. */
  get isMoving(): boolean {
    return this.#progress.isMoving;
  }

  /**
   * `5 present, 1 mounted, 2 uploaded (12 MB)` for a destination; empty where nothing is known of
   * it.
   */
  given(destination: string): string {
    const counts = this.#destinations.get(destination) ?? new Map<BlobHow, Moved>();
    return HOWS.flatMap((how) => {
      const moved = counts.get(how);
      if (moved === undefined) return [];
      return how === "uploaded"
        ? `${moved.blobs} ${how} (${formatBytes(moved.bytes)})`
        : `${moved.blobs} ${how}`;
    }).join(", ");
  }

  #count({ destination, how, size }: Extract<BuildEvent, { type: "blob-done" }>): void {
    const counts = this.#destinations.get(destination) ?? new Map<BlobHow, Moved>();
    const { blobs, bytes } = counts.get(how) ?? { blobs: 0, bytes: 0 };
    counts.set(how, { blobs: blobs + 1, bytes: bytes + size });
    this.#destinations.set(destination, counts);
  }
}

const HOWS: readonly BlobHow[] = ["present", "mounted", "uploaded"];

/** What begins with an event, in one or two words. */
function phaseOf(event: BuildEvent): string | undefined {
  switch (event.type) {
    case "base-resolved":
      return "reading files";
    case "files-collected":
    case "dependencies-ready":
      return "packing";
    case "dependencies-planned":
      return "installing dependencies";
    case "image-composed":
      return "sending";
    case "function-step":
    case "function-done":
      return event.function;
    case "function-state":
      return `${event.function} is ${event.state}`;
    default:
      return undefined;
  }
}
