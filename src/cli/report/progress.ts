import type { BuildEvent } from "../../events.ts";
import { formatBytes, formatDuration } from "../text/format.ts";
import type { EventOf } from "./reporter.ts";

type Kind = "installing" | "packing" | "downloading" | "uploading";

interface Part {
  readonly kind: Kind;
  readonly done: number;
  readonly total: number;
  readonly isFinished: boolean;
}

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** The work in progress, summed over all of its parts. */
interface Overall {
  readonly what: string;
  readonly percent: number;
  /** For example `49 MB of 120 MB`. */
  readonly amount: string;
  /** Bytes per second; undefined while it is not known. */
  readonly rate: number | undefined;
  readonly leftMs: number | undefined;
}

const RATE_WINDOW_MS = 5_000;
const SAMPLE_EVERY_MS = 100;
/** Over less time, the rate is inaccurate. */
const RATE_FROM_MS = 500;
/** The bar has one of two widths, by the terminal's width alone, so that it does not jump. */
const BAR_FROM_COLUMNS = 60;
const NARROW_BAR = 12;
const WIDE_FROM_COLUMNS = 95;
const WIDE_BAR = 30;

/**
 * Adds up the bytes of all moving layers and blobs into one bar, rate and estimate. The sum starts
 * again when something new begins after everything else has ended.
 */
export class Progress {
  readonly #parts = new Map<string, Part>();
  /** Bytes of source files in layers that are not being packed yet. */
  #unpacked = 0;
  #received = 0;
  #samples: readonly Sample[] = [];

  add(event: BuildEvent, now: number): void {
    switch (event.type) {
      case "files-collected":
        this.#unpacked += event.bytes;
        break;
      case "install-progress":
        this.#received = event.received;
        if (event.total > 0) this.#move(INSTALL, "installing", event.packages, event.total, now);
        break;
      case "dependencies-ready":
        this.#finish(INSTALL, now);
        break;
      case "layer-progress":
        this.#beginLayer(event.name, event.totalBytes);
        this.#move(layerKey(event), "packing", event.bytes, event.totalBytes, now);
        break;
      case "layer-ready":
        if (event.how !== "base") this.#beginLayer(event.name, event.bytes);
        this.#finish(layerKey(event), now);
        break;
      case "download-progress":
        this.#move(`get ${event.digest}`, "downloading", event.received, event.size, now);
        break;
      case "blob-progress":
        this.#move(blobKey(event), "uploading", event.sent, event.size, now);
        break;
      case "blob-done":
        this.#endBlob(event, now);
        break;
    }
  }

  get isMoving(): boolean {
    return [...this.#parts.values()].some(({ isFinished }) => !isFinished);
  }

  /**
   * Returns `packing 41 % · 49 MB of 120 MB · 12 MB/s · 6 s left`; undefined while nothing moves.
   */
  line(now: number): string | undefined {
    const overall = this.#overall(now);
    if (overall === undefined) return undefined;
    return [`${overall.what} ${overall.percent} %`, overall.amount, ...paceOf(overall)].join(" · ");
  }

  /**
   * Returns the same with a bar, in at most `columns` columns if possible: the least important
   * parts are left out first.
   */
  bar(now: number, columns: number): string | undefined {
    const overall = this.#overall(now);
    if (overall === undefined) return undefined;
    const { what, percent, amount } = overall;
    const [rate, left] = [rateOf(overall), leftOf(overall)];
    const width = columns < BAR_FROM_COLUMNS ? 0 : columns < WIDE_FROM_COLUMNS ? NARROW_BAR : WIDE_BAR;
    const bar = width === 0 ? [] : [`[${drawn(percent, width)}]`];
    const share = `${String(percent).padStart(3)} %`;
    const lines = [
      [what, ...bar, share, amount, ...rate, ...left],
      [what, ...bar, share, amount, ...left],
      [what, share, amount, ...left],
      [what, share, ...left],
      [what, share],
    ].map((words) => words.join("  "));
    // The text is ASCII, so its length is its width in columns.
    return lines.find((line) => line.length <= columns) ?? `${what} ${percent} %`;
  }

  #overall(now: number): Overall | undefined {
    const parts = [...this.#parts.values()];
    const moving = parts.filter(({ isFinished }) => !isFinished);
    if (moving.length === 0) return undefined;
    const kinds = new Set(moving.map(({ kind }) => kind));
    const isInstalling = kinds.has("installing");
    const counted = parts.filter(({ kind }) => (kind === "installing") === isInstalling);
    const done = counted.reduce((sum, part) => sum + part.done, 0);
    const unpacked = kinds.has("packing") ? this.#unpacked : 0;
    const total = counted.reduce((sum, part) => sum + part.total, unpacked);
    const rate = this.#rate(now);
    const pace = isInstalling ? undefined : rate;
    return {
      what: [...kinds].join(", "),
      percent: total === 0 ? 100 : Math.min(100, Math.floor((done * 100) / total)),
      amount: isInstalling ? `${done} of ${total} packages` : `${formatBytes(done)} of ${formatBytes(total)}`,
      rate,
      leftMs: pace && pace > 0 ? ((total - done) * 1000) / pace : undefined,
    };
  }

  #beginLayer(name: string, bytes: number): void {
    if (!this.#parts.has(layerKey({ name }))) this.#unpacked = Math.max(0, this.#unpacked - bytes);
  }

  #move(key: string, kind: Kind, done: number, total: number, now: number): void {
    if (!this.isMoving && !this.#parts.has(key)) {
      this.#parts.clear();
      this.#samples = [];
    }
    this.#parts.set(key, { kind, done, total, isFinished: kind === "downloading" && done >= total });
    this.#sample(now);
  }

  #finish(key: string, now: number): void {
    const part = this.#parts.get(key);
    if (part === undefined) return;
    this.#parts.set(key, { ...part, done: part.total, isFinished: true });
    this.#sample(now);
  }

  #endBlob(event: EventOf<"blob-done">, now: number): void {
    if (event.how === "uploaded") this.#finish(blobKey(event), now);
    else this.#parts.delete(blobKey(event));
  }

  #bytes(): number {
    const parts = [...this.#parts.values()].filter(({ kind }) => kind !== "installing");
    return parts.reduce((sum, { done }) => sum + done, this.#received);
  }

  #sample(now: number): void {
    const last = this.#samples.at(-1);
    if (last && now - last.at < SAMPLE_EVERY_MS) return;
    // The last sample stays whatever its age, because a slow upload produces few.
    const recent = this.#samples.filter((sample) => sample === last || now - sample.at <= RATE_WINDOW_MS);
    this.#samples = [...recent, { at: now, bytes: this.#bytes() }];
  }

  /**
   * Returns bytes per second; undefined while it is not known, for example after an upload started
   * again.
   */
  #rate(now: number): number | undefined {
    const first = this.#samples[0];
    const bytes = this.#bytes();
    if (!first || now - first.at < RATE_FROM_MS || bytes < first.bytes) return undefined;
    return ((bytes - first.bytes) * 1000) / (now - first.at);
  }
}

const INSTALL = "install";

function layerKey({ name }: { readonly name: string }): string {
  return `layer ${name}`;
}

function blobKey({ destination, digest }: { readonly destination: string; readonly digest: string }): string {
  return `put ${destination} ${digest}`;
}

function paceOf(overall: Overall): readonly string[] {
  return [...rateOf(overall), ...leftOf(overall)];
}

function rateOf({ rate }: Overall): readonly string[] {
  return rate === undefined ? [] : [`${formatBytes(rate)}/s`];
}

function leftOf({ leftMs }: Overall): readonly string[] {
  if (leftMs === undefined) return [];
  const seconds = Math.ceil(leftMs / 1000);
  return [`${seconds < 100 ? `${seconds} s` : formatDuration(seconds * 1000)} left`];
}

function drawn(percent: number, width: number): string {
  const filled = Math.round((percent * width) / 100);
  return `${"=".repeat(Math.max(0, filled - 1))}${filled > 0 ? (percent < 100 ? ">" : "=") : ""}`.padEnd(
    width,
  );
}
