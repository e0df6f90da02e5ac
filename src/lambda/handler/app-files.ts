/** Paths that need not all be in memory: a Set is one. */
export interface Names extends Iterable<string> {
  has(name: string): boolean;
}

/** The app as a handler search sees it: names, and the text of those it asks for. */
export interface AppFiles {
  /** Relative to the task root, with `/`. Directories are not listed. */
  readonly names: Names;
  read(name: string): Promise<string>;
  /** Names in a zip of the app (a jar); undefined where they cannot be told. */
  namesInJar(name: string): Promise<readonly string[] | undefined>;
}

/** What a source file gives other modules, as far as can be told without running it. */
export interface Defined {
  readonly names: ReadonlySet<string>;
  /** There may be more names than can be seen (`export *`, `from x import *`, `module.exports = make()`). */
  readonly open: boolean;
}

export type Verdict =
  | { readonly ok: true }
  /** `problem` completes "the handler X ...". `near` are handlers that would be found. */
  | { readonly ok: false; readonly problem: string; readonly near?: readonly string[] };

/** How one language finds the code behind CMD. */
export interface HandlerRules {
  /** Tried in this order where no handler is given. */
  readonly usual: readonly string[];
  /** The files that `handler` may be in, best first: the one that exists is read. */
  places(handler: string): readonly string[];
  check(handler: string, app: AppFiles): Promise<Verdict>;
  /** Handlers that the app has, for the error's "near it are". */
  suggest(app: AppFiles): Promise<readonly string[]>;
  /** The hint where another --handler would be of no use. */
  readonly cure?: string;
}

/** Larger sources are bundles that nobody writes by hand; to read them takes longer than the check is worth, so they pass. */
const MAX_SOURCE = 4 * 1024 * 1024;

/** @returns what `parse` finds, or "anything" for a source too large to read. */
export function definedIn(source: string, parse: (source: string) => Defined): Defined {
  return source.length > MAX_SOURCE ? { names: new Set(), open: true } : parse(source.replace(/^\uFEFF/, ""));
}

/** Whether `name` is, or may be, defined. */
export function mayDefine({ names, open }: Defined, name: string): boolean {
  return open || names.has(name);
}

const MAX_SUGGESTED_FILES = 30;
const NOT_THE_APP = /(?:^|\/)(?:node_modules|site-packages|vendor|tests?|__tests__)\//;

/** The names of which this is true. */
export function namesWhere(names: Names, isMeant: (name: string) => boolean): string[] {
  const found: string[] = [];
  for (const name of names) if (isMeant(name)) found.push(name);
  return found;
}

/** The first name of which this is true. */
export function nameWhere(names: Names, isMeant: (name: string) => boolean): string | undefined {
  for (const name of names) if (isMeant(name)) return name;
  return undefined;
}

/** The app's own source files of this kind, those nearest to the root first. */
export function sourceFiles({ names }: AppFiles, extension: RegExp): readonly string[] {
  return namesWhere(names, (name) => extension.test(name) && !NOT_THE_APP.test(name))
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .slice(0, MAX_SUGGESTED_FILES);
}

function depth(name: string): number {
  return name.split("/").length;
}
