/**
 * What is wrong with single entries of a layer: `parent` (its directory has no entry before it),
 * `duplicate`, `place` (its name means no place in an image), `kind` (neither file, directory nor
 * link), `hardlink` (what it links to has no entry before it), `characters` (control characters, a
 * backslash, or no UTF-8).
 */
export type FaultKind = "parent" | "duplicate" | "place" | "kind" | "hardlink" | "characters";

export interface Fault {
  readonly kind: FaultKind;
  /** The name of the entry, as the tar has it. */
  readonly name: string;
  /** The directory that is missing, what is linked to, or what the entry is. */
  readonly detail: string;
}

/** More of a kind are only counted. */
const MOST_KEPT = 100;

/** The faults of one layer. */
export class Faults {
  readonly #counts = new Map<FaultKind, number>();
  readonly #kept: Fault[] = [];

  add(fault: Fault): void {
    const count = this.count(fault.kind);
    this.#counts.set(fault.kind, count + 1);
    if (count < MOST_KEPT) this.#kept.push(fault);
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** The first hundred of the kind. */
  of(kind: FaultKind): readonly Fault[] {
    return this.#kept.filter((fault) => fault.kind === kind);
  }
}
