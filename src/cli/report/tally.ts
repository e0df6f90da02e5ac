import type { BlobHow, BuildEvent } from "../../events.ts";
import { formatBytes, plural } from "../text/format.ts";

interface Moving {
  readonly bytes: number;
  readonly total: number;
}

interface Sample {
  readonly at: number;
  readonly sent: number;
}

/** Over how long the speed is taken. */
const SPEED_WINDOW_MS = 5_000;
const SAMPLE_EVERY_MS = 100;
/** A speed of less time than this is noise. */
const SPEED_FROM_MS = 500;

/** Adds the events up: what is under way now, and what each destination was given. */
export class Tally {
  /** What is being done while no bytes are moving. */
  #phase = "starting";
  /** Columns that the longest function's name and region take, so that lines about several stand in a table. */
  functionColumns = 0;
  readonly #packing = new Map<string, Moving>();
  readonly #downloads = new Map<string, Moving>();
  readonly #uploads = new Map<string, Moving>();
  readonly #finished = new Set<string>();
  readonly #destinations = new Map<string, Map<BlobHow, Moving>>();
  #samples: readonly Sample[] = [];

  add(event: BuildEvent, now: number): void {
    switch (event.type) {
      case "base-resolved":
        this.#phase = "reading files";
        break;
      case "files-collected":
        this.#phase = "packing";
        break;
      case "dependencies-planned":
        this.#phase = "installing dependencies";
        break;
      case "install-progress":
        this.#phase = `installing ${event.packages}${event.total > 0 ? ` of ${event.total}` : ""} packages`;
        break;
      case "dependencies-ready":
        this.#phase = "packing";
        break;
      case "image-composed":
        this.#phase = "sending";
        break;
      case "layer-progress":
        // Last in the map is the one that moved last, which is the one that is shown.
        this.#packing.delete(event.name);
        this.#packing.set(event.name, { bytes: event.bytes, total: event.totalBytes });
        break;
      case "layer-ready":
        this.#packing.delete(event.name);
        break;
      case "download-progress":
        this.#downloads.set(event.digest, { bytes: event.received, total: event.size });
        break;
      case "blob-progress":
        this.#uploads.set(`${event.destination} ${event.digest}`, { bytes: event.sent, total: event.size });
        this.#sample(now);
        break;
      case "blob-done":
        this.#done(event, now);
        break;
      case "function-step":
      case "function-state":
      case "function-done":
        this.functionColumns = Math.max(
          this.functionColumns,
          event.function.length + event.region.length + 1,
        );
        this.#phase =
          event.type === "function-state" ? `${event.function} is ${event.state}` : event.function;
        break;
    }
  }

  /** One line of what is under way: `packing deps 41 % · 120 MB`. */
  live(): string {
    const parts = [this.#packingText(), this.#downloadText(), this.#uploadText()].filter(
      (part) => part !== "",
    );
    return parts.length === 0 ? this.#phase : parts.join(", ");
  }

  /** Whether bytes are under way. */
  get moving(): boolean {
    return this.#packing.size > 0 || this.#active(this.#downloads) || this.#uploadsActive();
  }

  /** `5 present, 1 mounted, 2 uploaded (12 MB)` for a destination; empty where nothing is known of it. */
  given(destination: string): string {
    const counts = this.#destinations.get(destination) ?? new Map<BlobHow, Moving>();
    return HOWS.flatMap((how) => {
      const moved = counts.get(how);
      if (moved === undefined) return [];
      return how === "uploaded"
        ? `${moved.bytes} ${how} (${formatBytes(moved.total)})`
        : `${moved.bytes} ${how}`;
    }).join(", ");
  }

  #done({ destination, digest, how, size }: Extract<BuildEvent, { type: "blob-done" }>, now: number): void {
    const key = `${destination} ${digest}`;
    if (how === "uploaded") this.#uploads.set(key, { bytes: size, total: size });
    else this.#uploads.delete(key);
    this.#finished.add(key);
    this.#sample(now);
    const counts = this.#destinations.get(destination) ?? new Map<BlobHow, Moving>();
    const before = counts.get(how) ?? { bytes: 0, total: 0 };
    counts.set(how, { bytes: before.bytes + 1, total: before.total + size });
    this.#destinations.set(destination, counts);
  }

  #packingText(): string {
    const last = [...this.#packing].at(-1);
    if (last === undefined) return "";
    const [name, { bytes, total }] = last;
    return `packing ${name} ${percent(bytes, total)} · ${formatBytes(total)}`;
  }

  #downloadText(): string {
    if (!this.#active(this.#downloads)) return "";
    const { bytes, total } = sum(this.#downloads);
    return `downloading ${formatBytes(bytes)} of ${formatBytes(total)}`;
  }

  #uploadText(): string {
    if (!this.#uploadsActive()) return "";
    const { bytes, total } = sum(this.#uploads);
    const done = [...this.#uploads.keys()].filter((key) => this.#finished.has(key)).length;
    const speed = this.#speed();
    const text = `uploading ${done} of ${plural(this.#uploads.size, "blob")} · ${formatBytes(bytes)} of ${formatBytes(total)}`;
    return speed === undefined ? text : `${text} · ${formatBytes(speed)}/s`;
  }

  #active(moving: ReadonlyMap<string, Moving>): boolean {
    return [...moving.values()].some(({ bytes, total }) => bytes < total);
  }

  #uploadsActive(): boolean {
    return [...this.#uploads.keys()].some((key) => !this.#finished.has(key));
  }

  #sample(now: number): void {
    const last = this.#samples.at(-1);
    if (last && now - last.at < SAMPLE_EVERY_MS) return;
    // The last one stays whatever its age: a slow upload has few.
    const recent = this.#samples.filter((sample) => sample === last || now - sample.at <= SPEED_WINDOW_MS);
    this.#samples = [...recent, { at: now, sent: sum(this.#uploads).bytes }];
  }

  /** Bytes a second. Undefined while it cannot be known, as when an upload had to start again. */
  #speed(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < SPEED_FROM_MS || last.sent < first.sent) return undefined;
    return ((last.sent - first.sent) * 1000) / (last.at - first.at);
  }
}

const HOWS: readonly BlobHow[] = ["present", "mounted", "uploaded"];

function sum(moving: ReadonlyMap<string, Moving>): Moving {
  return [...moving.values()].reduce(
    (all, { bytes, total }) => ({ bytes: all.bytes + bytes, total: all.total + total }),
    { bytes: 0, total: 0 },
  );
}

function percent(bytes: number, total: number): string {
  return `${total === 0 ? 100 : Math.min(100, Math.floor((bytes * 100) / total))} %`;
}
