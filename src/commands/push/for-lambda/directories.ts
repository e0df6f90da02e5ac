import { LambdaPackError } from "../../../errors.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { type DirectoryEntry, parentOf, sortByName, tarName } from "../../../tar/entry.ts";
import type { HeaderRange, LayerEntry, LayerVisitor } from "../../../tar/layer-entry.ts";
import { extendedHeader, RECORD, writeHeader } from "../../../tar/write-header.ts";

/** A directory without an entry before what is in it. */
interface Missing {
  readonly entry: DirectoryEntry;
  readonly mtime: Date;
}

/** How a tar becomes one that Lambda unpacks. */
export interface DirectoryPlan {
  /** Paths, parents first. */
  readonly added: readonly string[];
  /** Headers that go before everything else. */
  readonly headers: Buffer;
  /**
   * Ranges of bytes that are left out: entries of directories that come too late, as they are at
   * the start now.
   */
  readonly cuts: readonly HeaderRange[];
}

/**
 * Watches one layer for directories that Lambda would miss: each needs an entry before what is in
 * it.
 */
export class DirectoryWatch {
  readonly #layer: number;
  readonly #view: MergedView;
  readonly #seen = new Set<string>();
  readonly #missing = new Map<string, Missing>();
  readonly #cuts: HeaderRange[] = [];

  /** @param view of the layers below; gets the entries of this one. */
  constructor(layer: number, view: MergedView) {
    this.#layer = layer;
    this.#view = view;
  }

  visitor(): LayerVisitor {
    return {
      enter: (entry, headers) => {
        if (entry.path !== undefined && entry.path !== "") this.#enter(entry, entry.path, headers);
        return undefined;
      },
    };
  }

  plan(): DirectoryPlan {
    const missing = sortByName(this.#missing.values(), ({ entry }) => tarName(entry));
    return {
      added: missing.map(({ entry }) => entry.path),
      headers: Buffer.concat(missing.map(headerOf)),
      cuts: this.#cuts,
    };
  }

  #enter(entry: LayerEntry, path: string, headers: HeaderRange): void {
    const { kind, mode, mtime } = entry;
    for (let above = parentOf(path); above !== "" && !this.#seen.has(above); above = parentOf(above))
      if (!this.#missing.has(above)) this.#missing.set(above, this.#missingAt(above, mtime));
    if (kind === "directory" && this.#missing.has(path)) {
      this.#missing.set(path, { entry: { kind, path, mode }, mtime: new Date(mtime * 1000) });
      this.#cuts.push(headers);
    } else this.#seen.add(path);
    this.#view.add(this.#layer, entry, path);
  }

  /**
   * As the layers below have it.
   * @throws IMAGE_UNSUPPORTED where they have a link: a directory would take it away.
   */
  #missingAt(path: string, mtime: number): Missing {
    const below = this.#view.get(path);
    if (below && below.kind !== "directory")
      throw new LambdaPackError(
        "IMAGE_UNSUPPORTED",
        `layer ${this.#layer + 1} has files below /${path}, which is a ${below.kind} in a layer below it`,
        { hint: `copy the files to where /${path} leads, and build the image again` },
      );
    return {
      entry: { kind: "directory", path, mode: below?.mode ?? 0o755 },
      mtime: new Date(mtime * 1000),
    };
  }
}

function headerOf({ entry, mtime }: Missing): Buffer {
  const block = Buffer.alloc(RECORD);
  return writeHeader(block, 0, entry, mtime) ? block : extendedHeader(entry, mtime);
}

/** The tar with the headers before it and without the cuts. */
export async function* applyPlan(
  tar: AsyncIterable<Uint8Array>,
  { headers, cuts }: DirectoryPlan,
): AsyncGenerator<Uint8Array, void, void> {
  if (headers.length > 0) yield headers;
  let at = 0;
  let next = 0;
  for await (const chunk of tar) {
    while ((cuts[next]?.to ?? Number.POSITIVE_INFINITY) <= at) next++;
    yield* kept(chunk, at, cuts, next);
    at += chunk.length;
  }
}

/**
 * The parts of a chunk that begins at byte `at` of the tar; `next` is the first cut that ends
 * behind that.
 */
function* kept(
  chunk: Uint8Array,
  at: number,
  cuts: readonly HeaderRange[],
  next: number,
): Generator<Uint8Array, void, void> {
  let from = 0;
  for (let index = next; from < chunk.length; index++) {
    const cut = cuts[index];
    if (!cut || cut.from >= at + chunk.length) break;
    if (cut.from > at + from) yield chunk.subarray(from, cut.from - at);
    from = Math.min(chunk.length, cut.to - at);
  }
  if (from < chunk.length) yield chunk.subarray(from);
}
