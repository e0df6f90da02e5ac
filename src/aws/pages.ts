import { incomplete } from "./refusals.ts";

/** One page of a list of AWS's, and where the next one begins. */
export interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

/**
 * All entries of a list that comes in pages. An empty page is not the last one, and an empty marker leads nowhere.
 * @throws REGISTRY_ANSWER where a page leads to itself: the list would never end.
 */
export async function allPages<T>(ask: (marker: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let marker: string | undefined;
  do {
    const { items = [], next } = await ask(marker);
    for (const item of items) found.push(item);
    if (next && next === marker) throw incomplete("the list", "page after the one that leads to itself");
    marker = next || undefined;
  } while (marker !== undefined);
  return found;
}
