import { pointsTo } from "../tar/entry-path.ts";
import type { LayerEntry } from "../tar/layer-entry.ts";
import type { EntryKind } from "../tar/read-header.ts";
import { bytes, doubles, Sizes, shorts, TextList, words } from "./columns.ts";
import { PathTable, ROOT } from "./path-table.ts";
import type { HiddenEntry, NumberedPath, ViewEntry } from "./view-entry.ts";
import { type Hidden, type LayerTotals, type Replaced, Waste } from "./waste.ts";

export type { HiddenEntry, NumberedPath, ViewEntry };

const KINDS: readonly EntryKind[] = ["file", "directory", "symlink", "hardlink", "device", "fifo", "other"];
const WHITEOUT = ".wh.";
/** image-spec layer.md, "Opaque Whiteout". */
const OPAQUE = ".wh..wh..opq";
/** Linux gives up on a chain of links after as many (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The file system that layers make together (image-spec layer.md, "Applying Changesets"), without unpacking them. Layers may be added at the same time and
 * in any order: of each path the entry of the highest layer is kept, and of each whiteout the highest layer that has it.
 * A million entries take some 100 MB.
 */
export class MergedView {
  readonly #paths: PathTable;
  /** Of the entry of each path: layer + 1 (0: only a folder of something else), kind, mode, size, and its link's index + 1. */
  readonly #layers = shorts();
  readonly #kinds = bytes();
  readonly #modes = shorts();
  readonly #sizes = new Sizes();
  readonly #links = words();
  readonly #targets = new TextList();
  /** Layer + 1 of the highest whiteout of a path: hides it, and what is in it, in all layers below. */
  readonly #removed = shorts();
  /** Layer + 1 of the highest opaque whiteout in a folder, or of the highest entry that is no folder: hides what layers below have in it. */
  readonly #emptied = shorts();
  /** Files of a path that a higher layer has too, and the bytes in them. */
  readonly #replacedFiles = words();
  readonly #replacedBytes = doubles();
  readonly #waste = new Waste();

  /** `paths`: shared with the view that this one is compared with; then folders that are in no layer are not told from those of the other. */
  constructor(paths: PathTable = new PathTable()) {
    this.#paths = paths;
  }

  /** Paths known so far, hidden ones included. */
  get size(): number {
    return this.#paths.size;
  }

  /** Takes in an entry of layer `layer` whose path is inside the root. Returns the path's number, for a {@link NumberSet} of what a layer has. */
  add(layer: number, entry: LayerEntry, path: string): number {
    this.#waste.count(layer, entry);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(WHITEOUT)) return this.#addWhiteout(layer, path, name);
    const id = this.#paths.add(path);
    if (entry.kind !== "directory") this.#emptied.raise(id, layer + 1);
    const before = this.#layers.get(id) - 1;
    if (before > layer) this.#replace(id, { path, kind: entry.kind, size: entry.size, layer, by: before });
    else {
      if (before >= 0) this.#replace(id, { ...this.#entryOf(id, path), by: layer });
      this.#keep(id, layer, entry);
    }
    return id;
  }

  /** The number of a path that is known, for a {@link NumberSet}. */
  idOf(path: string): number | undefined {
    return this.#paths.find(path);
  }

  /** What is at `path`; links in it, and at its end, are not followed. */
  get(path: string): ViewEntry | undefined {
    const id = this.#paths.find(path);
    return id === undefined ? undefined : this.at({ id, path });
  }

  /** The same, of a path whose number is known. */
  at({ id, path }: NumberedPath): ViewEntry | undefined {
    return this.#isVisible(id) ? this.#entryOf(id, path) : undefined;
  }

  /** What is at `path` once all links on the way and at its end are followed. undefined where that is nothing, or where links go in circles. */
  resolve(path: string): ViewEntry | undefined {
    let rest = path.split("/").filter((part) => part !== "");
    let at = "";
    let entry: ViewEntry | undefined = this.root;
    for (let links = 0; rest.length > 0 && entry; ) {
      const [name = "", ...after]: readonly string[] = rest;
      const next: string = at === "" ? name : `${at}/${name}`;
      entry = this.get(next) ?? this.#implied(next);
      const target: string | undefined = entry && pointsTo(entry);
      if (target === undefined) {
        at = next;
        rest = after;
      } else {
        if (++links > MAX_LINKS) return undefined;
        rest = [...target.split("/").filter((part) => part !== ""), ...after];
        at = "";
        entry = this.root;
      }
    }
    return entry;
  }

  /** A folder that no layer names, and that every unpacker makes because something is in it. */
  #implied(path: string): ViewEntry | undefined {
    const id = this.#paths.find(path);
    return id !== undefined && this.#isImplied(id) ? { ...this.root, path } : undefined;
  }

  #isImplied(id: number): boolean {
    return this.#layers.get(id) === 0 && this.#paths.hasChildren(id);
  }

  /** The names in a folder, sorted; also of folders that no layer names and that something is in. */
  list(path: string): readonly string[] {
    const id = this.#paths.find(path);
    const children = id === undefined ? [] : [...this.#paths.children(id)];
    return children
      .filter((child) => this.#isVisible(child) || this.#isImplied(child))
      .map((child) => this.#paths.name(child))
      .sort();
  }

  /** All that can be seen, folders before what is in them; folders that are in no layer, as parents of something only, are left out. */
  *entries(): Generator<ViewEntry> {
    for (const { id, path } of this.#below(false)) yield this.#entryOf(id, path);
  }

  /** Where those are: for {@link at}, which then need not look for them. */
  places(): Iterable<NumberedPath> {
    return this.#below(false);
  }

  /** What is in some layer and cannot be seen, because a higher layer removes it or a folder above it. */
  *removed(): Generator<HiddenEntry> {
    for (const { id, path, by } of this.#below(true)) yield { ...this.#entryOf(id, path), by };
  }

  /** Files that a higher layer has too, the largest first; at most a thousand. `by` is the highest that has it. */
  replaced(): readonly Replaced[] {
    return this.#waste
      .replaced()
      .map((one) => ({ ...one, by: this.#layers.get(this.#paths.find(one.path) ?? ROOT) - 1 }));
  }

  /** By layer. Complete once all layers are added. */
  totals(): readonly LayerTotals[] {
    return this.#waste.totals(this.removed());
  }

  /** By layer, what of the layers below it cannot be seen because of it. Complete once all layers are added. */
  hides(): readonly Hidden[] {
    const hides = this.totals().map(() => ({ files: 0, bytes: 0 }));
    const count = (by: number, files: number, bytes: number) => {
      const own = hides[by];
      if (!own) return;
      own.files += files;
      own.bytes += bytes;
    };
    for (let id = 1; id < this.#paths.size; id++)
      count(this.#layers.get(id) - 1, this.#replacedFiles.get(id), this.#replacedBytes.get(id));
    for (const { by, kind, size } of this.removed()) if (kind === "file") count(by, 1, size);
    return hides;
  }

  readonly root: ViewEntry = { path: "", kind: "directory", mode: 0o755, size: 0, link: "", layer: 0 };

  #replace(id: number, replaced: Replaced & { readonly kind: EntryKind }): void {
    this.#waste.replace(replaced);
    if (replaced.kind !== "file" || replaced.layer === replaced.by) return;
    this.#replacedFiles.set(id, this.#replacedFiles.get(id) + 1);
    this.#replacedBytes.set(id, this.#replacedBytes.get(id) + replaced.size);
  }

  #addWhiteout(layer: number, path: string, name: string): number {
    const folder = path.slice(0, Math.max(0, path.length - name.length - 1));
    if (name === OPAQUE) this.#emptied.raise(this.#paths.add(folder), layer + 1);
    // The rest of aufs's own names (.wh..wh.plnk and so on) mean nothing here.
    else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      const removed = name.slice(WHITEOUT.length);
      this.#removed.raise(this.#paths.add(folder === "" ? removed : `${folder}/${removed}`), layer + 1);
    }
    return this.#paths.add(path);
  }

  #keep(id: number, layer: number, { kind, mode, size, link }: LayerEntry): void {
    this.#layers.set(id, layer + 1);
    this.#kinds.set(id, KINDS.indexOf(kind));
    this.#modes.set(id, mode);
    this.#sizes.set(id, size);
    this.#links.set(id, link === "" ? 0 : this.#targets.add(Buffer.from(link)) + 1);
  }

  #kindOf(id: number): EntryKind {
    return KINDS[this.#kinds.get(id)] ?? "other";
  }

  #entryOf(id: number, path: string): ViewEntry {
    const link = this.#links.get(id);
    return {
      path,
      kind: this.#kindOf(id),
      mode: this.#modes.get(id),
      size: this.#sizes.get(id),
      link: link === 0 ? "" : this.#targets.at(link - 1).toString(),
      layer: this.#layers.get(id) - 1,
    };
  }

  #isVisible(id: number): boolean {
    const layer = this.#layers.get(id);
    if (layer === 0 || this.#removed.get(id) > layer) return false;
    for (let folder = id; folder !== ROOT; ) {
      folder = this.#paths.parent(folder);
      if (this.#removed.get(folder) > layer || this.#emptied.get(folder) > layer) return false;
    }
    return true;
  }

  /** Without recursion: a path may have a thousand folders. */
  *#below(hidden: boolean): Generator<NumberedPath & { readonly by: number }> {
    const pending = [{ id: ROOT, path: "", cut: 0 }];
    for (let folder = pending.pop(); folder; folder = pending.pop()) {
      /** Layer + 1 below which the folders above hide all. */
      const cut = Math.max(folder.cut, this.#removed.get(folder.id), this.#emptied.get(folder.id));
      const children = this.#paths.children(folder.id);
      for (const id of children) {
        const by = Math.max(cut, this.#removed.get(id)) - 1;
        // Most are neither, when what is hidden is looked for: then no path is made.
        if (this.#isThere(id, by, hidden)) yield { id, path: this.#pathIn(folder.path, id), by };
      }
      // From the last to the first, as they are taken from the end.
      for (let index = children.length - 1; index >= 0; index--) {
        const id = children[index] ?? ROOT;
        if (this.#paths.hasChildren(id)) pending.push({ id, path: this.#pathIn(folder.path, id), cut });
      }
    }
  }

  #pathIn(folder: string, id: number): string {
    return folder === "" ? this.#paths.name(id) : `${folder}/${this.#paths.name(id)}`;
  }

  #isThere(id: number, hiddenBy: number, hidden: boolean): boolean {
    const layer = this.#layers.get(id);
    return layer > 0 && layer < hiddenBy + 1 === hidden;
  }
}
