/**
 * The faults that single entries of a layer can have: `parent` (no entry for its directory before
 * it), `duplicate`, `place` (its name is not a path in an image), `kind` (neither file, directory
 * nor link), `hardlink` (no entry for its target before it), `characters` (control characters, a
 * backslash, or not UTF-8).
 */
export type FaultKind = "parent" | "duplicate" | "place" | "kind" | "hardlink" | "characters";

export interface Fault {
  readonly kind: FaultKind;
  /** The name of the entry, as the tar has it. */
  readonly name: string;
  /** The missing directory, the target of the link, or the kind of the entry. */
  readonly detail: string;
}

/** More faults of a kind are only counted. */
const MAX_KEPT = 100;

/** The faults of one layer. */
export class Faults {
  readonly #counts = new Map<FaultKind, number>();
  readonly #kept: Fault[] = [];

  add(fault: Fault): void {
    const count = this.count(fault.kind);
    this.#counts.set(fault.kind, count + 1);
    if (count < MAX_KEPT) this.#kept.push(fault);
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Returns the first hundred faults of a kind. */
  of(kind: FaultKind): readonly Fault[] {
    return this.#kept.filter((fault) => fault.kind === kind);
  }
}
