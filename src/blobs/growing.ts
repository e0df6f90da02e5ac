import type { Content } from "../oci/content.ts";
import type { Growing } from "../oci/store.ts";
import { readFileFrom, readNow } from "./file-content.ts";

/** The side of the writer. */
interface GrowingFile extends Growing {
  /** So many bytes are in the file. */
  wrote(bytes: number): void;
  /** All are; the file may have been moved to where `content` says. */
  finish(content: Content): void;
  fail(error: unknown): void;
}

interface Waiting {
  readonly bytes: number;
  readonly resolve: (there: number) => void;
  readonly reject: (error: unknown) => void;
}

/** The file at `path` while it is written. */
export function growingFile(path: string): GrowingFile {
  let there = 0;
  let end: { readonly content: Content } | { readonly error: unknown } | undefined;
  let waiting: readonly Waiting[] = [];
  let settle: Pick<Waiting, "reject"> & { readonly resolve: (content: Content) => void };
  const whole = new Promise<Content>((resolve, reject) => {
    settle = { resolve, reject };
  });
  whole.catch(() => undefined); // told to those who ask

  const wake = (): void => {
    const served = waiting.filter(({ bytes }) => end !== undefined || bytes <= there);
    waiting = waiting.filter((waiter) => !served.includes(waiter));
    for (const { resolve, reject } of served) end && "error" in end ? reject(end.error) : resolve(there);
  };
  return {
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
    wrote(bytes) {
      there = bytes;
      wake();
    },
    finish(content) {
      end = { content };
      settle.resolve(content);
      wake();
    },
    fail(error) {
      end = { error };
      settle.reject(error);
      wake();
    },
  };
}
