import type { ImageFacts } from "./facts.ts";
import type { RuleVisitor } from "./visit.ts";

/** `error`: it is refused or cannot start. `warning`: it probably fails. `info`: advice. */
export type Severity = "error" | "warning" | "info";

export const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** One thing that a rule found. */
export interface Problem {
  /** What is wrong. */
  readonly message: string;
  /** What to type or to change. */
  readonly hint: string;
  /** The absolute path in the image that the problem is about, if there is one. */
  readonly path?: string | undefined;
  /** Default: the rule's. */
  readonly severity?: Severity | undefined;
}

/** What a rule finds: nothing, one problem, or several. */
export type Problems = Problem | undefined | readonly Problems[];

export function listOf(problems: Problems): readonly Problem[] {
  if (problems === undefined) return [];
  return "message" in problems ? [problems] : problems.flatMap(listOf);
}

/** One thing that Lambda expects of an image. The same facts always give the same problems. */
interface RuleDescription {
  /** Part of the public contract (`--allow`, annotations): an id never changes its meaning. */
  readonly id: string;
  /** The default severity of its problems. A rule with `info` gives only advice. */
  readonly severity: Severity;
  /** Completes "Lambda expects that ...". */
  readonly expects: string;
  /** What Lambda reports or does if the rule is broken. */
  readonly otherwise: string;
}

/** A rule looks up what it needs, or visits every entry in one pass shared by all such rules. */
export type Rule = RuleDescription &
  (
    | { readonly check: (facts: ImageFacts) => Problems | Promise<Problems> }
    | { readonly visitor: (facts: ImageFacts) => RuleVisitor }
  );

export { shortList } from "../lambda/nearest.ts";

/** Formats `1 file`, `3 files`. */
export function quantity(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Formats bytes in whole megabytes of 10^6 bytes; less than one megabyte in kilobytes. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1e6)} MB`;
}

/** How many names a finding lists. */
const MAX_SHOWN = 3;

/** Counts names and keeps the first few, sorted, so that memory does not grow. */
export class FirstNames {
  count = 0;
  readonly #names: string[] = [];

  add(name: string): void {
    this.count += 1;
    if (this.#names.length === MAX_SHOWN && name > (this.#names.at(-1) ?? "")) return;
    this.#names.push(name);
    this.#names.sort();
    this.#names.splice(MAX_SHOWN);
  }

  get names(): readonly string[] {
    return this.#names;
  }
}
