import { EventEmitter, once } from "node:events";
import type { Content } from "../oci/content.ts";
import type { Growing } from "../oci/store.ts";
import { readFileFrom, readNow } from "./file-content.ts";

/** Returns the file at `path`, for its readers and its writer, while it is written. */
export function growingFile(path: string) {
  let there = 0;
  let end: { readonly content: Content } | { readonly error: unknown } | undefined;
  const changes = new EventEmitter().setMaxListeners(0);
  /** Waits until `bytes` bytes are written or no more follow. @throws the error of the writer. */
  const reached = async (bytes: number): Promise<Content | undefined> => {
    while (end === undefined && there < bytes) await once(changes, "change");
    if (end && "error" in end) throw end.error;
    return end?.content;
  };
  const whole = reached(Number.POSITIVE_INFINITY) as Promise<Content>; // no file has as many bytes
  whole.catch(() => undefined); // readers that wait for it get the error
  const readers: Growing = {
    whole,
    async reach(bytes) {
      await reached(bytes);
      return there;
    },
    read(from, to, signal) {
      const now = end && "content" in end ? (end.content.file ?? path) : path;
      return readFileFrom(now, from, to, signal, readNow);
    },
  };
  return {
    ...readers,
    /** Records how many bytes are in the file. */
    wrote(bytes: number): void {
      there = bytes;
      changes.emit("change");
    },
    /** Records that the file is complete. It may have been moved to the path in `content`. */
    finish(content: Content): void {
      end = { content };
      changes.emit("change");
    },
    fail(error: unknown): void {
      end = { error };
      changes.emit("change");
    },
  };
}
