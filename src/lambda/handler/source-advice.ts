import { BASES, type Language, shortName } from "../bases.ts";
import type { Names } from "./app-files.ts";

/** Sources that have to be compiled before they are packed, and the command that does it. */
const COMPILED: readonly (readonly [RegExp, (path: string) => string])[] = [
  [
    /^(?:[^/]+\/){0,2}[^/]+\.go$|^go\.mod$/,
    () =>
      "compile it: GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build -o bootstrap . (GOARCH=arm64 for --arch arm64)",
  ],
  [
    /^Cargo\.toml$/,
    () =>
      "compile it: cargo build --release --target x86_64-unknown-linux-musl, and copy the program to bootstrap",
  ],
  [/^pom\.xml$/, () => "compile it: mvn package, then put target/classes in the root and the jars into lib/"],
  [/^build\.gradle(?:\.kts)?$/, () => "compile it: gradle installDist, then put the jars into lib/"],
  [
    /^[^/]+\.(?:cs|fs)proj$/,
    () => "compile it: dotnet publish -c Release -o publish, then build the directory publish",
  ],
  [
    /^(?:[^/]+\/){0,2}[^/]+(?<!\.d)\.[cm]?ts$/,
    (path) =>
      `compile it: --bundle --handler ${path.replace(/\.[cm]?ts$/, ".handler")} (npm install --save-dev esbuild)`,
  ],
];

const SOURCES: readonly (readonly [RegExp, Language])[] = [
  [/^(?:[^/]+\/){0,2}[^/]+\.py$/, "python"],
  [/^(?:[^/]+\/){0,2}[^/]+\.[cm]?js$/, "nodejs"],
  [/^(?:[^/]+\/){0,2}[^/]+\.rb$/, "ruby"],
  [/^(?:lib\/)?[^/]+\.jar$|^(?:[^/]+\/)+[^/]+\.class$/, "java"],
  [/^[^/]+\.(?:deps|runtimeconfig)\.json$/, "dotnet"],
  [/^bootstrap$/, "provided"],
];

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  python: "Python",
  nodejs: "JavaScript",
  ruby: "Ruby",
  java: "Java",
  dotnet: ".NET",
  provided: "an executable bootstrap",
  go: "Go",
};

const NOT_THE_APP = /(?:^|\/)(?:node_modules|site-packages|vendor|tests?|\.[^/]+)\//;

/**
 * Returns advice for a directory in which no handler was found, from its files. `languages`: those
 * that were searched.
 */
export function sourceAdvice(names: Names, languages: readonly Language[]): string | undefined {
  const own = [...names].filter((name) => !NOT_THE_APP.test(name));
  const hasOwn = languages.some((language) =>
    SOURCES.some(([pattern, one]) => one === language && own.some((name) => pattern.test(name))),
  );
  if (hasOwn) return undefined;
  for (const [pattern, advice] of COMPILED) {
    const path = own.find((name) => pattern.test(name));
    if (path !== undefined) return advice(path);
  }
  const other = SOURCES.find(([pattern]) => own.some((name) => pattern.test(name)));
  const base = other && BASES.find(({ repository }) => repository === other[1]);
  return (
    base &&
    other &&
    `the directory holds ${LANGUAGE_NAMES[other[1]]}: build it with --base ${shortName(base)}`
  );
}
