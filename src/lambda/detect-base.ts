import { baseWarnings } from "./base-warnings.ts";
import { BASES, type BaseFacts, type Language, shortName } from "./bases.ts";
import { rangeAllows } from "./version-range.ts";

/** What an app's own file says about the version of its language. */
export interface VersionPin {
  /** As npm, PEP 440, Poetry or RubyGems write one: `>=20`. */
  readonly range: string;
  /** Which setting says it, with `{}` for the range: `engines.node {} in package.json`. */
  readonly source: string;
}

/** A base that fits an app, and why. */
export interface DetectedBase {
  readonly facts: BaseFacts;
  /** `python:3.12`. */
  readonly base: string;
  /** `engines.node >=20 in package.json`. */
  readonly reason: string;
}

/** Files relative to the app; of each language the most telling first. */
const SIGNS: readonly (readonly [Language, readonly RegExp[]])[] = [
  ["nodejs", [/^package\.json$/, /^[^/]+(?<!\.config)\.[cm]?js$/]],
  [
    "python",
    [/^requirements\.txt$/, /^pyproject\.toml$/, /^Pipfile$/, /^(?!(?:setup|conftest)\.py$)[^/]+\.py$/],
  ],
  ["dotnet", [/^[^/]+\.runtimeconfig\.json$/, /^[^/]+\.deps\.json$/]],
  ["java", [/^lib\/[^/]+\.jar$/, /^[^/]+\.jar$/, /^(?:[^/]+\/)*[^/]+\.class$/]],
  ["ruby", [/^Gemfile$/, /^[^/]+\.rb$/]],
  ["provided", [/^bootstrap$/]],
];

/** The files that tell a language, for messages. */
export const TOLD_BY =
  "package.json, requirements.txt, pyproject.toml, Pipfile, *.py, *.runtimeconfig.json, jars, classes, Gemfile, *.rb, bootstrap";

/** The languages that the files tell, each with the file that tells it. */
export function languagesIn(names: Iterable<string>): ReadonlyMap<Language, string> {
  const all = [...names];
  const found = new Map<Language, string>();
  for (const [language, signs] of SIGNS) {
    const [sign] = signs.flatMap((pattern) => all.find((name) => pattern.test(name)) ?? []);
    if (sign !== undefined) found.set(language, sign);
  }
  return found;
}

/**
 * Chooses the newest base of the language that every pin allows, among those that AWS supports on
 * the day `today` (UTC), else among all. Pins that cannot be read decide nothing, and the reason
 * says so.
 * @returns undefined where AWS has no base that the pins allow.
 */
export function chooseBase(
  language: Language,
  sign: string,
  pins: readonly VersionPin[],
  today: Date,
): DetectedBase | undefined {
  const [readable, unreadable] = [true, false].map((isWanted) =>
    pins.filter(({ range }) => (rangeAllows(range, [1]) !== undefined) === isWanted),
  );
  const fitting = BASES.filter(
    (facts) =>
      facts.repository === language &&
      readable?.every(({ range }) => rangeAllows(range, versionOf(facts)) === true),
  );
  const facts = fitting.find((one) => baseWarnings(one, today).length === 0) ?? fitting[0];
  if (!facts) return undefined;
  const says = readable?.length ? pinsText(readable) : `${sign}, and it is the newest that AWS supports`;
  const ignored = unreadable?.map((pin) => `; ${pinsText([pin])} cannot be read`).join("") ?? "";
  return { facts, base: shortName(facts), reason: says + ignored };
}

/** `engines.node >=20 in package.json and 22 in .nvmrc`. */
export function pinsText(pins: readonly VersionPin[]): string {
  return pins.map(({ range, source }) => source.replace("{}", () => range.trim().slice(0, 60))).join(" and ");
}

/** `[3, 12]`, `[17]` of `17.al2023`, `[]` of `al2023`. */
function versionOf({ tag }: BaseFacts): readonly number[] {
  const [numbers] = /^\d+(?:\.\d+)*/.exec(tag) ?? [];
  return numbers === undefined ? [] : numbers.split(".").map(Number);
}

/**
 * The oldest version of Java among the bases that runs classes compiled for `version`; `version`
 * where there is none.
 */
export function javaFor(version: number): number {
  const known = BASES.filter(({ repository }) => repository === "java").flatMap((facts) => versionOf(facts));
  const fitting = known.filter((one) => one >= version);
  return fitting.length === 0 ? version : Math.min(...fitting);
}
