import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Source } from "../../layer/encode/source.ts";
import type { Entry, FileEntry } from "../../tar/entry.ts";

/** A directory with the files of entries, which can be updated to other entries. */
export class LaidOut {
  readonly directory: string;
  /** The state of the entry that was written for each path. */
  #written = new Map<string, string>();

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Writes the entries that changed since the last call, and removes files without an entry. */
  update(entries: Iterable<Entry>): void {
    const written = new Map<string, string>();
    for (const entry of entries) {
      const state = JSON.stringify(entry);
      written.set(entry.path, state);
      if (this.#written.get(entry.path) !== state) this.#write(entry);
    }
    for (const path of this.#written.keys())
      if (!written.has(path)) rmSync(join(this.directory, path), { recursive: true, force: true });
    this.#written = written;
  }

  #write(entry: Entry): void {
    const place = join(this.directory, entry.path);
    if (entry.kind === "directory") return void mkdirSync(place, { recursive: true });
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    if (entry.kind === "symlink") symlinkSync(entry.target, place);
    else writeFile(entry, place);
  }
}

function writeFile(entry: FileEntry, place: string): void {
  if (entry.offset === undefined) {
    copyFileSync(entry.source, place);
    return;
  }
  const bytes = Buffer.alloc(entry.size);
  const source = new Source(entry);
  try {
    while (source.left > 0) source.read(bytes, entry.size - source.left);
  } finally {
    source.close();
  }
  writeFileSync(place, bytes, { mode: entry.mode });
}
