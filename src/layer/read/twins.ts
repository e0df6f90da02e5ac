/** Files with the same content in more than one place. */
export interface Twins {
  /** Of one of them. */
  readonly size: number;
  readonly copies: number;
  /** A few of the places, in the order in which they were added. */
  readonly paths: readonly string[];
}

const MOST_PATHS = 5;
/** What is less costs more to name than to keep. */
export const LEAST_TWIN = 4096;

interface Counted {
  readonly size: number;
  copies: number;
  readonly paths: string[];
}

/** Finds equal contents. Of files of at least {@link LEAST_TWIN} an image of 10 GB has at most some two million. */
export class TwinFinder {
  readonly #first = new Map<string, string>();
  readonly #twins = new Map<string, Counted>();

  add(path: string, size: number, digest: string): void {
    const first = this.#first.get(digest);
    if (first === undefined) return void this.#first.set(digest, path);
    const twins = this.#twins.get(digest) ?? { size, copies: 1, paths: [first] };
    twins.copies += 1;
    if (twins.paths.length < MOST_PATHS) twins.paths.push(path);
    this.#twins.set(digest, twins);
  }

  /** Those that cost most first. */
  list(): readonly Twins[] {
    const cost = ({ size, copies }: Twins) => size * (copies - 1);
    return [...this.#twins.values()].sort((a, b) => cost(b) - cost(a));
  }
}
