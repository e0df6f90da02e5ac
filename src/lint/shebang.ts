import type { ViewEntry } from "../rootfs/view/merged-view.ts";
import { type ImageFacts, lookUp, programPlaces } from "./facts.ts";
import { hintsFor } from "./native/hints.ts";
import type { Problem, Problems } from "./rule.ts";

/** The kernel reads only this many bytes of a first line (BINPRM_BUF_SIZE). */
const MAX_LINE = 256;

/** Checks that all users may execute it, that it is not empty, and that its interpreter exists. */
export function executableProblems(
  name: string,
  path: string,
  { kind, mode, size, path: real }: ViewEntry,
  facts: ImageFacts,
): Problems {
  const text = facts.files.contents.texts.get(real);
  const octal = mode.toString(8).padStart(4, "0");
  if ((mode & 0o001) === 0)
    return { message: `${name} may not be executed (mode ${octal})`, path, hint: `chmod 755 ${path}` };
  if (kind === "file" && size === 0)
    return { message: `${name} is empty`, path, hint: `${hintsFor(facts).build}, and copy it there again` };
  return shebangProblems(path, text, facts);
}

/** Returns the program in a first line, and the name that `env` looks up in PATH. */
export function interpreterIn(text = ""): { readonly program: string; readonly byName?: string } | undefined {
  const [, line] = /^#!([^\r\n]*)/.exec(text.slice(0, MAX_LINE)) ?? [];
  const [program = "", name = "-"] = line?.trim().split(/\s+/) ?? [];
  if (line === undefined) return undefined;
  return { program, ...(program.endsWith("/env") && !name.startsWith("-") && { byName: name }) };
}

function shebangProblems(path: string, text: string | undefined, facts: ImageFacts): Problems {
  if (text?.startsWith("\uFEFF#!"))
    return {
      message: "its first line begins with a byte order mark, so Linux does not see the #!",
      path,
      hint: "save it as UTF-8 without BOM: sed -i '1s/^\\xef\\xbb\\xbf//' on it",
    };
  const interpreter = interpreterIn(text);
  if (!interpreter) return [];
  if (/^[^\n]*\r\n/.test(text?.slice(0, MAX_LINE) ?? ""))
    return {
      message: "its first line ends in CR LF: Linux looks for an interpreter of that name",
      path,
      hint: "sed -i 's/\\r$//' on it, or .gitattributes with eol=lf",
    };
  const { program, byName } = interpreter;
  if (isMissing(program, facts)) return [missingInterpreter(path, `${program} is not in the image`)];
  if (byName === undefined) return [];
  const isFound = programPlaces(byName, facts).some((path) => !isMissing(path, facts));
  return isFound ? [] : [missingInterpreter(path, `${byName} is in no directory of PATH`)];
}

/** In all bases of AWS, so that their layers are not read for these. */
const SHELL = /(?:^|\/)(?:ba)?sh$/;

/** Returns whether only layers that were not read can have the interpreter of the app's bootstrap. */
export function isInterpreterUnread(facts: ImageFacts): boolean {
  const interpreter = interpreterIn(facts.files.contents.texts.get("var/runtime/bootstrap"));
  const program = interpreter?.byName ?? interpreter?.program ?? "";
  if (program === "" || SHELL.test(program)) return false;
  const places = program.startsWith("/") ? [program] : programPlaces(program, facts);
  const found = places.map((path) => lookUp(facts, path));
  return !found.some((place) => place.known && place.entry) && found.some(({ known }) => !known);
}

function isMissing(path: string, facts: ImageFacts): boolean {
  const place = lookUp(facts, path);
  return place.known && !place.entry;
}

function missingInterpreter(path: string, what: string): Problem {
  return { message: `its interpreter ${what}`, path, hint: "name one that the base has, or add it" };
}
