import type { Digest } from "../../oci/digest.ts";
import type { Entry } from "../../tar/entry.ts";
import { type Portion, portionsOf } from "./fed-tar.ts";
import { BLOCK, HASHED_BESIDE, PORTIONS_AHEAD } from "./limits.ts";
import { totalsOf } from "./sums.ts";
import type { TarOptions } from "./tar.ts";
import { joinIdleThread, type Place, ThreadLost } from "./threads.ts";
import type { Answer } from "./worker.ts";

/**
 * The digest of the tar of the entries, which a thread beside reads and hashes, so that this one can do something else meanwhile.
 * undefined where every thread reads already, or there is none, or it was lost, or there is not more than a block of the tar.
 * @throws FILE_CHANGED, FILE_UNREADABLE.
 */
export async function digestBeside(
  entries: Iterable<Entry>,
  options: TarOptions,
): Promise<Digest | undefined> {
  const portions = portionsOf(entries);
  const first = portions.next().value;
  const place = first && first.bytes > BLOCK ? joinIdleThread(HASHED_BESIDE) : undefined;
  if (!first || !place) return undefined;
  try {
    return await digestAt(place, first, portions, options);
  } catch (error) {
    if (error instanceof ThreadLost) return undefined;
    throw error;
  } finally {
    place.leave();
  }
}

async function digestAt(
  place: Place,
  first: Portion,
  rest: Iterator<Portion, undefined>,
  { mtime, signal }: TarOptions,
): Promise<Digest> {
  const line: Promise<Answer>[] = [];
  for (let portion: Portion | undefined = first; portion; portion = rest.next().value) {
    signal?.throwIfAborted();
    const answer = place.ask({ kind: "portion", mtime, ...portion });
    answer.catch(() => undefined); // whoever awaits its turn reports it
    line.push(answer);
    if (line.length >= PORTIONS_AHEAD) await line.shift();
  }
  const answers = await Promise.all(line);
  signal?.throwIfAborted();
  return totalsOf(answers.at(-1)).digest;
}
