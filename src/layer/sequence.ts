/** Items by number, as an array has them; what is kept in columns makes each anew when it is asked for. */
export interface Sequence<T> extends Iterable<T> {
  readonly length: number;
  /** undefined from `length` on. */
  at(index: number): T | undefined;
}

/** The number of the first item for which `isBefore` is false, in a sequence where it is true of the first ones only; its length where it is true of all. */
export function firstNot<T>(items: Sequence<T>, isBefore: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items.at(middle);
    if (item !== undefined && isBefore(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same items, but for the one at `from`: `item` stands in for it, and in front of what was at `to`. */
export function moved<T>(items: Sequence<T>, from: number, to: number, item: T): Sequence<T> {
  const place = to > from ? to - 1 : to;
  const { length } = items;
  const at = (index: number): T | undefined => {
    if (index === place) return item;
    const others = index > place ? index - 1 : index;
    return items.at(others < from ? others : others + 1);
  };
  return {
    length,
    at,
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index++) {
        const found = at(index);
        if (found !== undefined) yield found;
      }
    },
  };
}
