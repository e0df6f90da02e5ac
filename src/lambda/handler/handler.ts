import type { Language } from "../bases.ts";
import type { AppFiles, Verdict } from "./app-files.ts";
import { ambiguous, noneFound, notThere } from "./not-found.ts";
import {
  candidatesOf,
  type ExpectedHandler,
  expectedHandlers,
  type HandlerSearch,
  RULES,
  type Search,
  SHOWN_BY_FILES,
  searchOf,
} from "./search.ts";

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
  const best = await bestHandlers(search);
  if (new Set(best.map(({ handler }) => handler)).size > 1) throw ambiguous(best);
  const [only] = best;
  if (only) return found(only.handler, only.language, search);
  if (search.starter === "none") return { bootstrap: false };
  throw await noneFound(search);
}

type Choice = Pick<ExpectedHandler, "handler" | "language">;

/** Returns whether the app defines the given handler; if none is given, whether it defines any. */
export async function hasHandler(options: HandlerSearch): Promise<boolean> {
  const search = searchOf(options);
  if (options.handler === undefined) return (await bestHandlers(search)).length > 0;
  return search.language !== undefined && (await RULES[search.language].check(options.handler, search)).ok;
}

/**
 * Returns the best handlers of the app; several are equally good. The order is: one that its file
 * certainly defines as a function or a value, one that it imports, the likely ones in other files,
 * one that may exist. What package.json names is better than a usual name.
 */
async function bestHandlers(search: Search): Promise<readonly Choice[]> {
  const expected = await expectedHandlers(search);
  const proven = expected.filter(({ verdict }) => verdict.ok && verdict.isProven);
  const certain = proven.filter(({ verdict }) => verdict.ok && !verdict.isUncertain);
  const best = certain.length > 0 ? certain : proven;
  const configured = best.find(({ isConfigured }) => isConfigured);
  if (configured) return [configured];
  if (best.length > 0) return withoutImported(best, search);
  const likely = (await candidatesOf(search)).filter(({ isLikely }) => isLikely);
  return likely.length > 0 ? withoutImported(likely, search) : expected.filter(({ verdict }) => verdict.ok);
}

/** Leaves out handlers in a module that the file of another handler imports from its own directory. */
async function withoutImported(handlers: readonly Choice[], search: Search): Promise<readonly Choice[]> {
  if (handlers.length < 2) return handlers;
  const texts = await Promise.all(
    handlers.map(({ handler, language }) => {
      const file = RULES[language].places(handler).find((place) => search.names.has(place));
      return file === undefined ? undefined : search.read(file);
    }),
  );
  const kept = handlers.filter(({ handler }) => {
    const [, module = ""] = /^(?:.*\/)?([\w-]+)\./.exec(handler) ?? [];
    const imported = new RegExp(
      `["']\\./${module}(?:\\.[cm]?js)?["']|^\\s*(?:from|import)\\s+\\.?${module}\\b`,
      "m",
    );
    return module === "" || !texts.some((text) => text !== undefined && imported.test(text));
  });
  return kept.length === 0 ? handlers : kept;
}

/** Over an OS-only base the app's bootstrap is the runtime, if nothing else is started. */
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

function languageOfHandler(handler: string, { names }: Search): Language | undefined {
  if (handler.includes("::")) return handler.split("::").length === 3 ? "dotnet" : "java";
  return SHOWN_BY_FILES.find((language) => RULES[language].places(handler).some((file) => names.has(file)));
}
