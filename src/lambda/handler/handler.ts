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
/** The languages that an app's files tell, in the order of the search. */
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
  /** As the user gave it. */
  readonly handler?: string | undefined;
  /** As the user gave it; replaces the base's. */
  readonly entrypoint?: readonly string[] | undefined;
}

interface FoundHandler {
  /** The image's CMD. Absent: the base's stays. */
  readonly cmd?: readonly string[];
  /** Absent if neither base nor files tell it. */
  readonly language?: Language;
  /** The app's root `bootstrap` is the runtime: `placeBootstrap` says where it goes. */
  readonly bootstrap: boolean;
}

/** Judges whether `handler` is in the app. `found`: its file is there, whatever is in it. */
export async function judgeHandler(
  handler: string,
  language: Language,
  app: AppFiles,
): Promise<{ readonly verdict: Verdict; readonly found: boolean }> {
  const { check, places } = RULES[language];
  return { verdict: await check(handler, app), found: places(handler).some((file) => app.names.has(file)) };
}

/** The files that `handler` may be in, in any language. */
export function handlerPlaces(handler: string): readonly string[] {
  return Object.values(RULES).flatMap(({ places }) => places(handler));
}

interface Search extends AppFiles {
  readonly starter: Starter;
  readonly language: Language | undefined;
  /** The base's CMD is kept as long as its ENTRYPOINT is. */
  readonly hasCmd: boolean;
}

/**
 * Finds CMD for the app: the handler that was given, checked against the files, or one that the
 * files prove. Nothing of the app runs. If the image starts a program of its own, or has a CMD, and
 * no handler was given, the base's CMD stays.
 * @throws HANDLER_NOT_FOUND saying what was looked for, and what there is instead.
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
 * The handler that package.json or a usual name says, if its file certainly defines it. A function
 * or a value wins over what is imported.
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
 * The handler of the only other file that certainly defines one; else the only usual one that may
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

function searchOf({ files, read, namesInJar, baseConfig, base, entrypoint }: HandlerSearch): Search {
  const settings = baseConfig.config ?? {};
  const starts = entrypoint ?? settings.Entrypoint;
  return {
    names: files,
    read,
    namesInJar: namesInJar ?? (async () => undefined),
    // A base of the table starts as AWS's do, whatever the config of a copy left out.
    starter: base && !entrypoint ? "aws" : starterOf(starts),
    language: base?.repository ?? languageOf(settings, starts),
    hasCmd: entrypoint === undefined && (settings.Cmd?.length ?? 0) > 0,
  };
}

function languagesOf({ language }: Search): readonly Language[] {
  return language === undefined ? TOLD_BY_FILES : [language];
}

/**
 * An OS-only base has no runtime of its own: the app's bootstrap becomes it, unless something else
 * is started.
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

/** If the base does not tell: the language of the file that the handler is in. */
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
  const usual =
    near.length > 0
      ? `did you mean ${near.join(", ")}? --cmd sets CMD unchecked`
      : `correct --handler${form}, or set CMD unchecked with --cmd`;
  return new LambdaPackError("HANDLER_NOT_FOUND", `the handler ${shortened(handler)} ${verdict.problem}`, {
    hint: verdict.hint ?? (language && fixFor(language, search)) ?? usual,
  });
}

const MOST_SHOWN = 200;

function shortened(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}

function fixFor(language: Language, { names }: Search): string | undefined {
  return sourceAdvice(names, [language]) ?? RULES[language].fix;
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
  const advice = sourceAdvice(search.names, languages) ?? (only && RULES[only].fix);
  return advice ?? `add the handler's file, or name it: --handler ${HANDLER_FORMS[only ?? "python"]}`;
}

/** Python modules below `src` import one another from there. */
function sourceLayout(handler: string, languages: readonly Language[]): string {
  if (!languages.includes("python") || !handler.startsWith("src/")) return "";
  return `; if its modules import one another without src, build the directory src with --handler ${handler.slice("src/".length)}`;
}

/** `app.handler (needs a file app.py), ...` */
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
