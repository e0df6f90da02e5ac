import type { ImageConfig } from "../../oci/image.ts";
import type { BaseFacts, Language } from "../bases.ts";
import type { AppFiles, Candidate, HandlerRules, Verdict } from "./app-files.ts";
import { dotnet } from "./dotnet.ts";
import { go, provided } from "./executable.ts";
import { java } from "./java.ts";
import { languageOf, type Starter, starterOf } from "./language.ts";
import { node } from "./node/node.ts";
import { python } from "./python/python.ts";
import { ruby } from "./ruby.ts";

export const RULES: Readonly<Record<Language, HandlerRules>> = {
  ...{ python, nodejs: node, ruby, java, dotnet, provided, go },
};
/** The languages that an app's files can show, in the order of the search. */
export const SHOWN_BY_FILES: readonly Language[] = ["python", "nodejs", "ruby", "provided"];

export interface HandlerSearch {
  readonly app: AppFiles;
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

export interface Search extends AppFiles {
  readonly starter: Starter;
  readonly language: Language | undefined;
  /** Whether the base has a CMD and keeps it, because its ENTRYPOINT is kept. */
  readonly hasCmd: boolean;
  readonly hasImageOptions: boolean;
}

export function searchOf(options: HandlerSearch): Search {
  const { app, baseConfig, base, entrypoint, hasImageOptions = false } = options;
  const settings = baseConfig.config ?? {};
  const starts = entrypoint ?? settings.Entrypoint;
  return {
    ...app,
    // A base in the table has AWS's entry point, even if the config of a copy lacks it.
    starter: base && !entrypoint ? "aws" : starterOf(starts),
    language: base?.repository ?? languageOf(settings, starts),
    hasCmd: entrypoint === undefined && (settings.Cmd?.length ?? 0) > 0,
    hasImageOptions,
  };
}

export function languagesOf({ language }: Search): readonly Language[] {
  return language === undefined ? SHOWN_BY_FILES : [language];
}

/** A handler that package.json names, or a usual one. */
export interface ExpectedHandler {
  readonly handler: string;
  readonly language: Language;
  readonly isConfigured: boolean;
  readonly verdict: Verdict;
}

async function expectedIn(language: Language, search: Search): Promise<readonly ExpectedHandler[]> {
  const { configured, usual, check } = RULES[language];
  const named = (await configured?.(search)) ?? [];
  return Promise.all(
    [...new Set([...named, ...usual])].map(async (handler) => ({
      ...{ handler, language, isConfigured: named.includes(handler) },
      verdict: await check(handler, search),
    })),
  );
}

/** Returns what package.json names and the usual handlers, in all languages of the search. */
export async function expectedHandlers(search: Search): Promise<readonly ExpectedHandler[]> {
  return (await Promise.all(languagesOf(search).map((one) => expectedIn(one, search)))).flat();
}

export async function candidatesOf(
  search: Search,
): Promise<readonly (Candidate & { readonly language: Language })[]> {
  const found = await Promise.all(
    languagesOf(search).map(async (language) =>
      (await RULES[language].candidates(search)).map((one) => ({ ...one, language })),
    ),
  );
  return found.flat();
}
