import { readFileSync } from "node:fs";

/** A table of cases that other projects decide the same way (testdata/corpora/README.md). */
export interface Corpus<Case> {
  readonly cases: readonly Case[];
}

/** Reads `testdata/corpora/<name>.json`. */
export function corpus<Case>(name: string): Corpus<Case> {
  const file = new URL(`../../testdata/corpora/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Corpus<Case>;
}
