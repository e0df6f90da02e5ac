import type { Content } from "../oci/content.ts";
import type { Growing } from "../oci/store.ts";
import { readFileFrom, readNow } from "./file-content.ts";

interface Waiting {
  readonly bytes: number;
  readonly resolve: (there: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Returns the file at `path`, for its readers and its writer, while it is written. */
export function growingFile(path: string) {
  let there = 0;
  let end: { readonly content: Content } | { readonly error: unknown } | undefined;
  let waiting: readonly Waiting[] = [];
  let settle: Pick<Waiting, "reject"> & { readonly resolve: (content: Content) => void };
  const whole = new Promise<Content>((resolve, reject) => {
    settle = { resolve, reject };
  });
  whole.catch(() => undefined); // readers that wait for it get the error

  const wake = (): void => {
    const served = waiting.filter(({ bytes }) => end !== undefined || bytes <= there);
    waiting = waiting.filter((waiter) => !served.includes(waiter));
    for (const { resolve, reject } of served) end && "error" in end ? reject(end.error) : resolve(there);
  };
  const readers: Growing = {
    whole,
    reach(bytes) {
      const reached = new Promise<number>((resolve, reject) => {
        waiting = [...waiting, { bytes, resolve, reject }];
      });
      wake();
      return reached;
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
      wake();
    },
    /** Records that the file is complete. It may have been moved to the path in `content`. */
    finish(content: Content): void {
      end = { content };
      settle.resolve(content);
      wake();
    },
    fail(error: unknown): void {
      end = { error };
      settle.reject(error);
      wake();
    },
  };
}
