import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import type { Entry, FileEntry } from "./entry.ts";
import { headerOf, type TarHeader } from "./header.ts";
import { readSource } from "./source.ts";

export interface TarOptions {
  /** The one time of all entries; fractions of a second are cut off. */
  readonly mtime: Date;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of files written so far. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Up to this many bytes a file is handed over whole. */
const SMALL = 256 * 1024;

/**
 * A tar of the entries, in their order, owner 0:0 without names (image-spec layer.md; POSIX pax where ustar has no room).
 * The bytes depend on the entries and mtime only; their division into chunks does not count.
 * @throws FILE_CHANGED, FILE_UNREADABLE; never a tar whose headers and contents disagree.
 */
export async function* tar(entries: Iterable<Entry>, options: TarOptions): AsyncIterable<Uint8Array> {
  const stream = pack();
  const writing = writeAll(stream, entries, options).then(
    () => stream.finalize(),
    (error: unknown) => void stream.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    for await (const chunk of stream) yield chunk as Uint8Array; // its types say unknown
  } finally {
    stream.destroy();
    await writing;
  }
}

async function writeAll(stream: Pack, entries: Iterable<Entry>, options: TarOptions): Promise<void> {
  let bytes = 0;
  const read = function* (entry: FileEntry): Generator<Buffer> {
    for (const chunk of readSource(entry)) {
      options.signal?.throwIfAborted();
      yield chunk;
      bytes += chunk.length;
      options.onBytes?.(bytes);
    }
  };
  for (const entry of entries) {
    options.signal?.throwIfAborted();
    await writeEntry(stream, headerOf(entry, options.mtime), entry.kind === "file" ? read(entry) : []);
  }
}

async function writeEntry(stream: Pack, header: TarHeader, contents: Iterable<Buffer>): Promise<void> {
  if (header.size > SMALL) return pipeline(contents, stream.entry(header));
  const whole = Buffer.concat([...contents]);
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    if (header.type === "file") stream.entry(header, whole, done);
    else stream.entry(header, done);
  });
}
