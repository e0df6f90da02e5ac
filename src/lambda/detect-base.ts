import { BASES, type BaseFacts, baseWarnings, type Language, shortName } from "./bases.ts";
import { rangeAllows } from "./version-range.ts";

/** A language version that a file of the app asks for. */
export interface VersionPin {
  /** In the syntax of npm, PEP 440, Poetry or RubyGems: `>=20`. */
  readonly range: string;
  /** The setting, with `{}` in place of the range: `engines.node {} in package.json`. */
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

/** Files that show a language, relative to the app; the best sign of each language first. */
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

/** The files that show a language, for messages. */
export const LANGUAGE_FILES =
  "package.json, requirements.txt, pyproject.toml, Pipfile, *.py, *.runtimeconfig.json, jars, classes, Gemfile, *.rb, bootstrap";

/** Returns the languages of the files, each with the file that shows it. */
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
 * the day `today` (UTC), or else among all. Ignores pins that cannot be read and names them in the
 * reason.
 * @returns undefined if AWS has no base that the pins allow.
 */
export function chooseBase(
  language: Language,
  sign: string,
  pins: readonly VersionPin[],
  today: Date,
): DetectedBase | undefined {
  const isReadable = ({ range }: VersionPin) => rangeAllows(range, [1]) !== undefined;
  const readable = pins.filter(isReadable);
  const fitting = BASES.filter(
    (facts) =>
      facts.repository === language &&
      readable.every(({ range }) => rangeAllows(range, versionOf(facts)) === true),
  );
  const supported = fitting.find((one) => baseWarnings(one, today).length === 0);
  const facts = supported ?? fitting[0];
  if (!facts) return undefined;
  const newest = supported ? "it is the newest that AWS supports" : "AWS supports no newer one";
  const chosenBy = readable.length > 0 ? pinsText(readable) : `${sign}, and ${newest}`;
  const unreadable = pins.filter((pin) => !isReadable(pin));
  const ignored = unreadable.map((pin) => `; ${pinsText([pin])} cannot be read`).join("");
  return { facts, base: shortName(facts), reason: chosenBy + ignored };
}

/** Returns a text such as `engines.node >=20 in package.json and 22 in .nvmrc`. */
export function pinsText(pins: readonly VersionPin[]): string {
  return pins.map(({ range, source }) => source.replace("{}", () => range.trim().slice(0, 60))).join(" and ");
}

/** Returns `[3, 12]` for `3.12`, `[17]` for `17.al2023`, `[]` for `al2023`. */
function versionOf({ tag }: BaseFacts): readonly number[] {
  const [numbers] = /^\d+(?:\.\d+)*/.exec(tag) ?? [];
  return numbers === undefined ? [] : numbers.split(".").map(Number);
}

/** Returns the oldest Java of the bases that runs classes compiled for `version`, or that one. */
export function javaFor(version: number): number {
  const known = BASES.filter(({ repository }) => repository === "java").flatMap((facts) => versionOf(facts));
  const fitting = known.filter((one) => one >= version);
  return fitting.length === 0 ? version : Math.min(...fitting);
}
