import type { ImageFacts } from "./facts.ts";
import type { Watch } from "./visit.ts";

/** `error`: Lambda refuses the image, or the function cannot start. `warning`: it probably fails. `info`: advice. */
export type Severity = "error" | "warning" | "info";

export const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** What a rule found in one place. */
export interface Problem {
  /** What was found, and where. */
  readonly message: string;
  /** How to mend it. */
  readonly hint: string;
  /** The place in the image that it is about, where there is one: `/var/task/app.py`. */
  readonly path?: string | undefined;
  /** Default: the rule's. */
  readonly severity?: Severity | undefined;
}

/** One thing that Lambda expects of an image. A pure function: the same facts give the same problems. */
export type Rule = Told & (Checking | Watching);

interface Told {
  /** Never changes its meaning: `--allow` and annotations name it. */
  readonly id: string;
  /** Of its problems, where they do not say otherwise; a rule that gives advice gives nothing else. */
  readonly severity: Severity;
  /** What should be: completes "Lambda expects that ...". */
  readonly expects: string;
  /** What Lambda says or does where it is not. */
  readonly otherwise: string;
}

/** Asks for what it needs. */
interface Checking {
  readonly check: (facts: ImageFacts) => readonly Problem[] | Promise<readonly Problem[]>;
}

/** Has to see every path; all such rules do so together. */
interface Watching {
  readonly watch: (facts: ImageFacts) => Watch;
}

/** `a, b, c and 4 more`. */
export function some(names: readonly string[], total: number = names.length, shown = 3): string {
  const more = total - Math.min(shown, names.length);
  return names.slice(0, shown).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** `1 file`, `3 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Whole megabytes, of a million. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
