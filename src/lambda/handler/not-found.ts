import { LambdaPackError } from "../../errors.ts";
import { BASES, HANDLER_FORMS, type Language, shortName } from "../bases.ts";
import { nearest, oneOf, shortList } from "../nearest.ts";
import type { Names, Verdict } from "./app-files.ts";
import {
  candidatesOf,
  type ExpectedHandler,
  expectedHandlers,
  languagesOf,
  RULES,
  type Search,
} from "./search.ts";

export function ambiguous(best: readonly { readonly handler: string }[]): LambdaPackError {
  const handlers = [...new Set(best.map(({ handler }) => handler))];
  return new LambdaPackError("HANDLER_NOT_FOUND", `several handlers are possible: ${shortList(handlers)}`, {
    hint: `choose one: ${oneOf(handlers.slice(0, 3).map((handler) => `--handler ${handler}`))}`,
  });
}

export async function notThere(
  handler: string,
  language: Language | undefined,
  verdict: Exclude<Verdict, { ok: true }>,
  search: Search,
): Promise<LambdaPackError> {
  const others = (await candidatesOf(search)).map((one) => one.handler);
  const near = nearest(
    handler,
    [...(verdict.near ?? []), ...others].filter((name) => name !== handler),
  );
  const form = language === undefined ? "" : `; a handler is written like ${HANDLER_FORMS[language]}`;
  const usual = near.length > 0 ? `did you mean ${near.join(", ")}?` : `correct --handler${form}`;
  const unchecked = near.length > 0 ? " --cmd sets CMD unchecked" : ", or set CMD unchecked with --cmd";
  const hint = search.hasImageOptions ? `${usual}${unchecked}` : usual;
  return new LambdaPackError("HANDLER_NOT_FOUND", `the handler ${shortened(handler)} ${verdict.problem}`, {
    hint: verdict.hint ?? (language && fixFor(language, search)) ?? hint,
  });
}

const MAX_SHOWN = 200;

export function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function fixFor(language: Language, { names, hasImageOptions }: Search): string | undefined {
  const { fix, imageFix = "" } = RULES[language];
  return sourceAdvice(names, [language]) ?? (fix && `${fix}${hasImageOptions ? imageFix : ""}`);
}

export async function noneFound(search: Search): Promise<LambdaPackError> {
  const languages = languagesOf(search);
  const [only] = languages.length === 1 ? languages : [];
  const usual = [...new Set(languages.flatMap((language) => RULES[language].usual))];
  const message =
    only && usual.length === 0
      ? `no handler given, and ${LANGUAGE_NAMES[only]} has no usual one`
      : `no handler found; looked for ${only ? await problemsOf(search) : usual.join(", ")}`;
  return new LambdaPackError("HANDLER_NOT_FOUND", message, {
    hint: await hintFor(languages, only, search),
  });
}

/** Names only handlers that exist. */
async function hintFor(
  languages: readonly Language[],
  only: Language | undefined,
  search: Search,
): Promise<string> {
  const [first] = await candidatesOf(search);
  if (first) return `add --handler ${first.handler}${sourceLayout(first)}`;
  const advice = only ? fixFor(only, search) : sourceAdvice(search.names, languages);
  if (advice !== undefined) return advice;
  const isUsual = only === undefined || RULES[only].usual.length > 0;
  return isUsual
    ? "add one of these, or name yours: --handler FILE.FUNCTION"
    : `name it: --handler ${HANDLER_FORMS[only]}`;
}

/** Python modules below `src` may import one another relative to `src`. */
function sourceLayout({ handler, language }: Pick<ExpectedHandler, "handler" | "language">): string {
  if (language !== "python" || !handler.startsWith("src/")) return "";
  return `; if its modules import one another without src, build the directory src with --handler ${handler.slice("src/".length)}`;
}

/** Returns a text such as `app.handler (needs a file app.py), ...`. */
async function problemsOf(search: Search): Promise<string> {
  return (await expectedHandlers(search))
    .map(({ handler, verdict }) => `${handler} (${verdict.ok ? "may be there" : verdict.problem})`)
    .join(", ");
}

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

const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  python: "Python",
  nodejs: "JavaScript",
  ruby: "Ruby",
  java: "Java",
  dotnet: ".NET",
  provided: "an executable bootstrap",
  go: "Go",
};

const NOT_THE_APP = /(?:^|\/)(?:node_modules|site-packages|vendor|tests?|\.[^/]+)\//;

/** Returns advice for a directory without a handler in one of the `languages`, from its files. */
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
