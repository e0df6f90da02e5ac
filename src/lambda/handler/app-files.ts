import type { ZipNames } from "./zip-names.ts";

/** The paths of an app, for example a Set. */
export interface Names extends Iterable<string> {
  /** Follows links as Linux does. */
  has(name: string): boolean;
  /** Returns where the link `name` leads if `has` is false for it. */
  deadLink?(name: string): string | undefined;
}

/** What a handler search needs of an app. Paths are relative to the task root, with `/`. */
export interface AppFiles {
  /** Files and links, without directories. */
  readonly names: Names;
  /** Returns the text of a file; undefined if it cannot be read. */
  read(name: string): Promise<string | undefined>;
  /** Returns the names in a jar of the app. Absent: jars cannot be read. */
  namesInJar?(name: string): Promise<ZipNames>;
}

/** The names that a source file exports, according to its text. */
export interface ModuleNames {
  readonly names: ReadonlySet<string>;
  /** Those of `names` that are functions in this file. */
  readonly functions: ReadonlySet<string>;
  /** Those of `names` that are imported or are classes, and so possibly not functions. */
  readonly uncertain?: ReadonlySet<string>;
  /** Whether there may be more names: `export *`, `from x import *`, `module.exports = make()`. */
  readonly open: boolean;
}

export type Verdict =
  /** `isProven`: the text defines it. `isUncertain`: it is imported or a class. */
  | { readonly ok: true; readonly isProven: boolean; readonly isUncertain?: boolean }
  /** `problem` completes "the handler X ..."; `near` are handlers that exist. */
  | {
      readonly ok: false;
      readonly problem: string;
      readonly near?: readonly string[];
      readonly hint?: string;
    };

export const PROVEN = { ok: true, isProven: true } as const;
export const POSSIBLE: Verdict = { ok: true, isProven: false };

/** A handler that the app's sources define. */
export interface Candidate {
  readonly handler: string;
  /** Whether its name is usual for a handler, and it is neither imported nor a class. */
  readonly isLikely: boolean;
}

/** How one language finds the code that CMD names. */
export interface HandlerRules {
  /** Handlers that are tried in this order if none is given. */
  readonly usual: readonly string[];
  /** Returns the files that `handler` may be in: the first one that exists is used. */
  places(handler: string): readonly string[];
  check(handler: string, app: AppFiles): Promise<Verdict>;
  /** Returns handlers that files such as package.json name; they are tried first. */
  configured?(app: AppFiles): Promise<readonly string[]>;
  /** Returns handlers that the app defines, those in the topmost files first. */
  candidates(app: AppFiles): Promise<readonly Candidate[]>;
  /** The hint if naming another handler would not help. */
  readonly fix?: string;
  /** Added to `fix` for a command that can set the image's ENTRYPOINT. */
  readonly imageFix?: string;
}

/** Returns the verdict on a handler if none of `places` is in the app; `needs` says what is missing. */
export function missingFile(needs: string, places: readonly string[], { names }: AppFiles): Verdict {
  for (const place of places) {
    const target = names.deadLink?.(place);
    if (target === undefined) continue;
    return {
      ok: false,
      problem: `${needs}: ${place} is a link to ${target}, which leads to no file of the app`,
      hint: `replace the link ${place} by the file itself`,
    };
  }
  return { ok: false, problem: needs };
}

/** Larger sources are bundles and take too long to read. */
const MAX_SOURCE = 4 * 1024 * 1024;

/** Parses a source. Returns undefined for one that is too large, or that cannot be read. */
export function parseModule<T>(source: string | undefined, parse: (source: string) => T): T | undefined {
  if (source === undefined || source.length > MAX_SOURCE) return undefined;
  return parse(source.replace(/^\uFEFF/, ""));
}

/**
 * Reads the file and returns whether it defines the name. `module` is the file's part of the
 * handler: `src/app`.
 */
export async function judgeName(
  {
    file,
    module,
    name,
    verb,
  }: Readonly<Record<"file" | "module" | "name", string>> & {
    readonly verb: "define" | "export";
  },
  app: AppFiles,
  namesOf: (source: string) => ModuleNames,
): Promise<Verdict> {
  const found = parseModule(await app.read(file), namesOf);
  if (found?.names.has(name)) return found.uncertain?.has(name) ? { ...PROVEN, isUncertain: true } : PROVEN;
  if (found === undefined || found.open) return POSSIBLE;
  const near = [...found.names].map((other) => `${module}.${other}`);
  return { ok: false, problem: `needs ${file} to ${verb} ${name}`, near };
}

const MAX_SOURCES = 30;
const NOT_THE_APP =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|tests?|__tests__|spec|examples?|\.[^/]+|venv)\/|\.(?:test|spec)\.[cm]?js$|(?:^|\/)(?:test_[^/]*|conftest|setup)\.py$/;

/**
 * Returns the handlers in the app's own sources, those nearest to the root first. `extension` is
 * the end of a file's name that its handlers leave out.
 */
export async function candidatesInSources(
  app: AppFiles,
  extension: RegExp,
  namesOf: (source: string) => ModuleNames,
): Promise<readonly Candidate[]> {
  const files = [...app.names]
    .filter((name) => extension.test(name) && !NOT_THE_APP.test(name))
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .slice(0, MAX_SOURCES);
  const found: Candidate[] = [];
  for (const file of files) {
    const module = parseModule(await app.read(file), namesOf);
    if (module) found.push(...candidatesIn(file.replace(extension, ""), module));
  }
  return found;
}

function depth(name: string): number {
  return name.split("/").length;
}

/** Names that say that a function is a handler. */
const HANDLER_NAME = /handler/i;
const USUAL_NAME = /^(?:handler|lambda_handler|lambdaHandler)$/;
/** Names of functions that may be handlers; they rank below those with `handler` in the name. */
const OTHER_NAME = /^(?:main|run|process|handle|lambda_main|entrypoint|event)$/i;

/** Returns the possible handlers of one module, the most likely first. */
function candidatesIn(prefix: string, module: ModuleNames): readonly Candidate[] {
  const { names, functions, uncertain } = module;
  return [...names]
    .filter((name) => HANDLER_NAME.test(name) || (OTHER_NAME.test(name) && functions.has(name)))
    .map((name) => ({
      name,
      isLikely: USUAL_NAME.test(name) && !uncertain?.has(name),
      isFunction: functions.has(name),
    }))
    .sort((a, b) => rank(b) - rank(a))
    .map(({ name, isLikely }) => ({ handler: `${prefix}.${name}`, isLikely }));
}

function rank({ name, isLikely, isFunction }: { name: string; isLikely: boolean; isFunction: boolean }) {
  return (isLikely ? 4 : 0) + (isFunction ? 2 : 0) + (HANDLER_NAME.test(name) ? 1 : 0);
}
