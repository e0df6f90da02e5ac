/** One page of a list of AWS's, and where the next one begins. */
export interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

/** All entries of a list that comes in pages. An empty page is not the last one, and an empty marker leads nowhere. */
export async function allPages<T>(ask: (marker: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let marker: string | undefined;
  do {
    const { items = [], next } = await ask(marker);
    found.push(...items);
    marker = next || undefined;
  } while (marker !== undefined);
  return found;
}
