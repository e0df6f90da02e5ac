/** What a content's own source threw: no trouble of the registry that the content goes to, and not to be waited for there. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** The first `length` bytes of `source`, or all where it has fewer. */
export async function* part(
  source: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, void, void> {
  let left = length;
  if (left === 0) return;
  try {
    for await (const chunk of source) {
      yield chunk.length <= left ? chunk : chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  } catch (error) {
    throw new SourceError("the content could not be read", { cause: error });
  }
}
