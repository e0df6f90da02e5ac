import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A table of cases written by another project's authors. */
export interface Corpus<Case> {
  readonly cases: readonly Case[];
}

/** The tables live beside the repository, not in it: absent on a fresh machine, where the tests that read them say so. */
export function corpus<Case>(name: string): Corpus<Case> | undefined {
  const file = fileURLToPath(new URL(`../../../shared/corpora/${name}.json`, import.meta.url));
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Corpus<Case>) : undefined;
}
