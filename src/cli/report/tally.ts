import type { BlobHow, BuildEvent } from "../../events.ts";
import { formatBytes } from "../text/format.ts";
import { Progress } from "./progress.ts";
import type { EventOf } from "./reporter.ts";

interface Moved {
  readonly blobs: number;
  readonly bytes: number;
}

/** Sums the events up: the work in progress, and the blobs of each destination. */
export class Tally {
  /** The current phase, shown while no bytes move. */
  #phase = "starting";
  /**
   * The width of the longest function name with its region, which aligns lines about several
   * functions.
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

  /** Returns one line about the work in progress: `packing 41 % · 49 MB of 120 MB`. */
  line(now: number): string {
    return this.#progress.line(now) ?? this.#phase;
  }

  /** Returns the same with a bar, for a terminal of this width. */
  bar(now: number, columns: number): string {
    return this.#progress.bar(now, columns) ?? this.#phase;
  }

  /** Whether bytes are moving. */
  get isMoving(): boolean {
    return this.#progress.isMoving;
  }

  /**
   * Returns `5 present, 1 mounted, 2 uploaded (12 MB)` for a destination; empty if it had no blobs.
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

  #count({ destination, how, size }: EventOf<"blob-done">): void {
    const counts = this.#destinations.get(destination) ?? new Map<BlobHow, Moved>();
    const { blobs, bytes } = counts.get(how) ?? { blobs: 0, bytes: 0 };
    counts.set(how, { blobs: blobs + 1, bytes: bytes + size });
    this.#destinations.set(destination, counts);
  }
}

const HOWS: readonly BlobHow[] = ["present", "mounted", "uploaded"];

/** Returns the phase that an event starts, in one or two words. */
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
