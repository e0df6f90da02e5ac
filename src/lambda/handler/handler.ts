import { LambdaPackError } from "../../errors.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { type BaseFacts, HANDLER_FORMS, type Language } from "../bases.ts";
import { nearest } from "../nearest.ts";
import type { AppFiles, Candidate, HandlerRules, Names, Verdict } from "./app-files.ts";
import { dotnet } from "./dotnet.ts";
import { go, provided } from "./executable.ts";
import { java } from "./java.ts";
import { languageOf, type Starter, starterOf } from "./language.ts";
import { node } from "./node/node.ts";
import { python } from "./python/python.ts";
import { ruby } from "./ruby.ts";
import { sourceAdvice } from "./source-advice.ts";

const RULES: Readonly<Record<Language, HandlerRules>> = {
  ...{ python, nodejs: node, ruby, java, dotnet, provided, go },
};
/** The languages that an app's files can show, in the order of the search. */
const TOLD_BY_FILES: readonly Language[] = ["python", "nodejs", "ruby", "provided"];

export interface HandlerSearch {
  /** The app's files, relative to the task root, with `/`. */
  readonly files: Names;
  /** Reads one of `files`; undefined for one that cannot be read. */
  readonly read: AppFiles["read"];
  /** Lists a jar, one of `files`. Default: it cannot be read. */
  readonly namesInJar?: AppFiles["namesInJar"] | undefined;
  readonly baseConfig: ImageConfig;
  /** Set if the base is one of AWS's. */
  readonly base?: BaseFacts | undefined;
  /** The handler that the user gave. */
  readonly handler?: string | undefined;
  /** The ENTRYPOINT that the user gave; it replaces the base's. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Whether hints may name `--cmd` and `--entrypoint` of the command. Default false. */
  readonly hasImageOptions?: boolean | undefined;
}

interface FoundHandler {
  /** The image's CMD. Absent: the base's stays. */
  readonly cmd?: readonly string[];
  /** Absent if neither the base nor the files show it. */
  readonly language?: Language;
  /** Whether `bootstrap` in the app's root is the runtime; `placeBootstrap` then moves it. */
  readonly bootstrap: boolean;
}

/** Checks whether the app defines `handler`. `found`: its file exists, whatever it contains. */
export async function judgeHandler(
  handler: string,
  language: Language,
  app: AppFiles,
): Promise<{ readonly verdict: Verdict; readonly found: boolean }> {
  const { check, places } = RULES[language];
  return { verdict: await check(handler, app), found: places(handler).some((file) => app.names.has(file)) };
}

/** Returns the files that `handler` may be in, in any language. */
export function handlerPlaces(handler: string): readonly string[] {
  return Object.values(RULES).flatMap(({ places }) => places(handler));
}

interface Search extends AppFiles {
  readonly starter: Starter;
  readonly language: Language | undefined;
  /** Whether the base has a CMD and keeps it, because its ENTRYPOINT is kept. */
  readonly hasCmd: boolean;
  readonly hasImageOptions: boolean;
}

/**
 * Finds CMD for the app: the given handler, checked against the files, or one that the files
 * define. Does not run the app. If no handler is given, the base's CMD stays where it has one, or
 * where the image starts another program.
 * @throws HANDLER_NOT_FOUND naming what was looked for, and handlers that exist.
 */
export async function findHandler(options: HandlerSearch): Promise<FoundHandler> {
  const search = searchOf(options);
  if (options.handler !== undefined) return checked(options.handler, search);
  if (search.hasCmd || search.starter === "own") return { bootstrap: false };
  for (const language of languagesOf(search)) {
    const handler = await provenHandler(language, search);
    if (handler !== undefined) return found(handler, language, search);
  }
  for (const language of languagesOf(search)) {
    const handler = await onlyHandler(language, search);
    if (handler !== undefined) return found(handler, language, search);
  }
  if (search.starter === "none") return { bootstrap: false };
  throw await noneFound(search);
}

/**
 * Returns the handler that package.json or a usual name gives, if its file certainly defines it.
 * Prefers a function or a value to an imported name.
 */
async function provenHandler(language: Language, search: Search): Promise<string | undefined> {
  let imported: string | undefined;
  for (const handler of await expectedHandlers(language, search)) {
    const verdict = await RULES[language].check(handler, search);
    if (!verdict.ok || !verdict.isProven) continue;
    if (!verdict.isUncertain) return handler;
    imported ??= handler;
  }
  return imported;
}

/**
 * Returns the likely handler if exactly one is defined; if none is, the only usual one that may
 * exist.
 */
async function onlyHandler(language: Language, search: Search): Promise<string | undefined> {
  const likely = (await RULES[language].candidates(search)).filter(({ isLikely }) => isLikely);
  if (likely.length > 0) return likely.length === 1 ? likely[0]?.handler : undefined;
  const possible: string[] = [];
  for (const handler of await expectedHandlers(language, search))
    if ((await RULES[language].check(handler, search)).ok) possible.push(handler);
  return possible.length === 1 ? possible[0] : undefined;
}

async function expectedHandlers(language: Language, search: Search): Promise<readonly string[]> {
  const { configured, usual } = RULES[language];
  return [...new Set([...((await configured?.(search)) ?? []), ...usual])];
}

function searchOf(options: HandlerSearch): Search {
  const { files, read, namesInJar, baseConfig, base, entrypoint, hasImageOptions = false } = options;
  const settings = baseConfig.config ?? {};
  const starts = entrypoint ?? settings.Entrypoint;
  return {
    names: files,
    read,
    namesInJar: namesInJar ?? (async () => undefined),
    // A base in the table has AWS's entry point, even if the config of a copy lacks it.
    starter: base && !entrypoint ? "aws" : starterOf(starts),
    language: base?.repository ?? languageOf(settings, starts),
    hasCmd: entrypoint === undefined && (settings.Cmd?.length ?? 0) > 0,
    hasImageOptions,
  };
}

function languagesOf({ language }: Search): readonly Language[] {
  return language === undefined ? TOLD_BY_FILES : [language];
}

/**
 * An OS-only base has no runtime: the app's bootstrap becomes it, unless another program is
 * started.
 */
function found(handler: string, language: Language, { starter }: Search): FoundHandler {
  return { cmd: [handler], language, bootstrap: language === "provided" && starter === "aws" };
}

async function checked(handler: string, search: Search): Promise<FoundHandler> {
  if (search.starter === "own" || handler.startsWith("/")) return { cmd: [handler], bootstrap: false };
  const language = search.language ?? languageOfHandler(handler, search);
  if (language === undefined)
    throw await notThere(handler, undefined, { ok: false, problem: "is in no file of the app" }, search);
  const verdict = await RULES[language].check(handler, search);
  if (!verdict.ok) throw await notThere(handler, language, verdict, search);
  return found(handler, language, search);
}

/** Returns the language of the handler's file, for a base that does not show it. */
function languageOfHandler(handler: string, { names }: Search): Language | undefined {
  if (handler.includes("::")) return handler.split("::").length === 3 ? "dotnet" : "java";
  return TOLD_BY_FILES.find((language) => RULES[language].places(handler).some((file) => names.has(file)));
}

async function notThere(
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

const MOST_SHOWN = 200;

function shortened(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}

function fixFor(language: Language, { names, hasImageOptions }: Search): string | undefined {
  const { fix, imageFix = "" } = RULES[language];
  return sourceAdvice(names, [language]) ?? (fix && `${fix}${hasImageOptions ? imageFix : ""}`);
}

async function noneFound(search: Search): Promise<LambdaPackError> {
  const languages = languagesOf(search);
  const [only] = languages.length === 1 ? languages : [];
  const usual = [...new Set(languages.flatMap((language) => RULES[language].usual))];
  const candidates = await candidatesOf(search);
  const message =
    only && usual.length === 0
      ? `no handler given, and one of ${only} has no usual name`
      : `no handler found; looked for ${only ? await whyNot(only, search) : usual.join(", ")}`;
  return new LambdaPackError("HANDLER_NOT_FOUND", message, {
    hint: hintFor(candidates, languages, search),
  });
}

/** Names only handlers that exist. */
function hintFor(candidates: readonly Candidate[], languages: readonly Language[], search: Search): string {
  const [first] = candidates;
  const likely = candidates.filter(({ isLikely }) => isLikely).map(({ handler }) => `--handler ${handler}`);
  const [only] = languages.length === 1 ? languages : [];
  if (likely.length > 1) return `several files define one: say which with ${likely.slice(0, 3).join(" or ")}`;
  if (first) return `say it with --handler ${first.handler}${sourceLayout(first.handler, languages)}`;
  const advice = only ? fixFor(only, search) : sourceAdvice(search.names, languages);
  return advice ?? `add the handler's file, or name it: --handler ${HANDLER_FORMS[only ?? "python"]}`;
}

/**
 * Returns a hint for Python modules below `src`, which may import one another relative to `src`.
 */
function sourceLayout(handler: string, languages: readonly Language[]): string {
  if (!languages.includes("python") || !handler.startsWith("src/")) return "";
  return `; if its modules import one another without src, build the directory src with --handler ${handler.slice("src/".length)}`;
}

/** Returns a text such as `app.handler (needs a file app.py), ...`. */
async function whyNot(language: Language, search: Search): Promise<string> {
  const reasons: string[] = [];
  for (const handler of await expectedHandlers(language, search)) {
    const verdict = await RULES[language].check(handler, search);
    reasons.push(verdict.ok ? `${handler} (may be there)` : `${handler} (${verdict.problem})`);
  }
  return reasons.join(", ");
}

async function candidatesOf(search: Search): Promise<readonly Candidate[]> {
  const found = await Promise.all(languagesOf(search).map((language) => RULES[language].candidates(search)));
  return found.flat();
}
