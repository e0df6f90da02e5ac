import { LambdaPackError } from "../../errors.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { type BaseFacts, HANDLER_FORMS, type Language } from "../bases.ts";
import { nearest } from "../nearest.ts";
import type { AppFiles, HandlerRules, Names, Verdict } from "./app-files.ts";
import { dotnet } from "./dotnet.ts";
import { go, provided } from "./executable.ts";
import { java } from "./java.ts";
import { languageOf, type Starter, starterOf } from "./language.ts";
import { node } from "./node.ts";
import { python } from "./python.ts";
import { ruby } from "./ruby.ts";

const RULES: Readonly<Record<Language, HandlerRules>> = {
  python,
  nodejs: node,
  ruby,
  java,
  dotnet,
  provided,
  go,
};
/** Those whose files tell them; in this order where the base does not say its language. */
const TOLD_BY_FILES: readonly Language[] = ["python", "nodejs", "ruby", "provided"];

export interface HandlerSearch {
  /** The app's files, relative to the task root, with `/`. */
  readonly files: Names;
  /** The text of one of `files`. */
  readonly read: (file: string) => Promise<string>;
  /** The names in a jar, one of `files`. Default: they cannot be told. */
  readonly namesInJar?: AppFiles["namesInJar"] | undefined;
  readonly baseConfig: ImageConfig;
  /** Where the base is one of AWS's. */
  readonly base?: BaseFacts | undefined;
  /** As the user gave it. */
  readonly handler?: string | undefined;
  /** As the user gave it; stands in for the base's. */
  readonly entrypoint?: readonly string[] | undefined;
}

export interface FoundHandler {
  /** The image's CMD. Absent: the base's stays. */
  readonly cmd?: readonly string[];
  /** Absent where neither base nor files tell it. */
  readonly language?: Language;
  /** True when the app's root `bootstrap` is the runtime: `placeBootstrap` says where it goes. */
  readonly bootstrap: boolean;
}

/** Whether `handler` is in the app, as its language looks for it. `found`: its file is there, whatever is in it. */
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
  /** The base's CMD serves as long as its ENTRYPOINT does. */
  readonly hasCmd: boolean;
}

/**
 * CMD for the app: the handler that was given, checked against the files, or one found under the usual names. Nothing of the app runs.
 * Where the image starts a program of its own, or has a CMD already, and no handler was given, the base's CMD stays.
 * @throws HANDLER_NOT_FOUND saying what was looked for, and the nearest that there is.
 */
export async function findHandler(options: HandlerSearch): Promise<FoundHandler> {
  const search = searchOf(options);
  if (options.handler !== undefined) return checked(options.handler, search);
  if (search.hasCmd || search.starter === "own") return { bootstrap: false };
  for (const language of languagesOf(search)) {
    for (const handler of RULES[language].usual) {
      if ((await RULES[language].check(handler, search)).ok) return found(handler, language, search);
    }
  }
  if (search.starter === "none") return { bootstrap: false };
  throw await noneFound(search);
}

function searchOf({ files, read, namesInJar, baseConfig, base, entrypoint }: HandlerSearch): Search {
  const settings = baseConfig.config ?? {};
  const starts = entrypoint ?? settings.Entrypoint;
  return {
    names: files,
    read,
    namesInJar: namesInJar ?? (async () => undefined),
    // A base of the table starts as AWS's do, whatever a look-alike's config left out.
    starter: base && !entrypoint ? "aws" : starterOf(starts),
    language: base?.repository ?? languageOf(settings, starts),
    hasCmd: entrypoint === undefined && (settings.Cmd?.length ?? 0) > 0,
  };
}

function languagesOf({ language }: Search): readonly Language[] {
  return language === undefined ? TOLD_BY_FILES : [language];
}

/** An OS-only base has no runtime of its own: the app's bootstrap becomes it, unless something else is started. */
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

/** Where the base does not say: the language of the file that the handler is in. */
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
  const near = nearest(handler, [...(verdict.near ?? []), ...(await suggestions(search))]);
  const form = language === undefined ? "" : `; a handler is written like ${HANDLER_FORMS[language]}`;
  const otherwise =
    near.length > 0
      ? `near it: ${near.join(", ")}`
      : `correct --handler${form}, or set CMD unchecked with --cmd`;
  return new LambdaPackError("HANDLER_NOT_FOUND", `the handler ${handler} ${verdict.problem}`, {
    hint: (language && RULES[language].cure) ?? otherwise,
  });
}

async function noneFound(search: Search): Promise<LambdaPackError> {
  const languages = languagesOf(search);
  const [only] = languages.length === 1 ? languages : [];
  const usual = [...new Set(languages.flatMap((language) => RULES[language].usual))];
  const example = (await suggestions(search)).find((name) => !usual.includes(name));
  const looked = only ? await whyNot(only, search) : usual.join(", ");
  return new LambdaPackError(
    "HANDLER_NOT_FOUND",
    only && usual.length === 0
      ? `no handler given, and one of ${only} has no usual name`
      : `no handler found; looked for ${looked}`,
    {
      hint:
        (only && RULES[only].cure) ?? `say it with --handler ${example ?? HANDLER_FORMS[only ?? "python"]}`,
    },
  );
}

/** `app.handler (needs a file app.py), ...` */
async function whyNot(language: Language, search: Search): Promise<string> {
  const { usual, check } = RULES[language];
  const verdicts = await Promise.all(usual.map((handler) => check(handler, search)));
  return usual
    .map((handler, index) => {
      const verdict = verdicts[index];
      return verdict?.ok === false ? `${handler} (${verdict.problem})` : handler;
    })
    .join(", ");
}

async function suggestions(search: Search): Promise<readonly string[]> {
  const found = await Promise.all(languagesOf(search).map((language) => RULES[language].suggest(search)));
  return found.flat();
}
