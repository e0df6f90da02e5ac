import pLimit from "p-limit";
import { say } from "./page.ts";

/** The time that one part of the run may take, and what it has played so far. */
export interface Budget {
  /** Whether everything is played, however long it takes. */
  readonly isFull: boolean;
  /**
   * Plays items, at most `atOnce` at the same time. Items that have not begun when the time is over
   * are left out.
   */
  playEach<T, R>(items: readonly T[], atOnce: number, play: (item: T) => Promise<R>): Promise<readonly R[]>;
  /** Says how many items were played, and in what time. */
  summary(): string;
  /** Returns how many items were played, of how many, in how many seconds, and the limit. */
  numbers(): readonly (string | number)[];
}

export function createBudget(part: string, limitSeconds: number, isFull: boolean): Budget {
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  let played = 0;
  let total = 0;
  return {
    isFull,
    async playEach<T, R>(items: readonly T[], atOnce: number, play: (item: T) => Promise<R>) {
      const limit = pLimit(atOnce);
      total += items.length;
      const one = async (item: T): Promise<readonly R[]> => {
        if (!isFull && elapsed() > limitSeconds) return [];
        const result = await play(item);
        played += 1;
        if (played % 100 === 0) say(`${part}: ${played} of ${total} played`);
        return [result];
      };
      return (await Promise.all(items.map((item) => limit(one, item)))).flat();
    },
    numbers: () => [played, total, elapsed().toFixed(0), isFull ? "none" : limitSeconds],
    summary() {
      const time = isFull ? "without a limit" : `the limit is ${limitSeconds} s`;
      return `${played} of ${total} played in ${elapsed().toFixed(0)} s (${time}).`;
    },
  };
}

/** Returns the items in an order of which each first part is a cross-section (golden ratio). */
export function spread<T>(items: readonly T[]): readonly T[] {
  const ordered = items.map((item, index) => ({ item, at: (index * 0.618034) % 1 }));
  return ordered.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** Resolves when a push or pull has taken so long that it counts as one that hangs. */
export function hang({ isFull }: Pick<Budget, "isFull">): Promise<"hangs"> {
  const limitMs = isFull ? 300_000 : 150_000;
  return new Promise((resolve) => setTimeout(() => resolve("hangs"), limitMs).unref());
}
