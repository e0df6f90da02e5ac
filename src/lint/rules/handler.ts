import type { Language } from "../../lambda/bases.ts";
import type { AppFiles, Names } from "../../lambda/handler/app-files.ts";
import { judgeHandler } from "../../lambda/handler/handler.ts";
import { languageOf, starterOf } from "../../lambda/handler/language.ts";
import { nearest } from "../../lambda/nearest.ts";
import { type ImageFacts, lookUp, startsAsAws, taskRoot, within } from "../facts.ts";
import type { Problem, Rule } from "../rule.ts";

/** More files than these are not looked through for the one that was meant. */
const MOST_NAMES = 100_000;

export const handler: Rule = {
  id: "handler",
  severity: "error",
  expects: "the file of the handler is in the task root, and defines it",
  otherwise: "Runtime.ImportModuleError, Runtime.HandlerNotFound, Runtime.UserCodeSyntaxError",
  async check(facts) {
    const { Entrypoint: entry, Cmd: cmd = [] } = facts.settings.config ?? {};
    const word = cmd.at(-1);
    const starter = starterOf(entry);
    if (word === undefined || word.startsWith("/") || (starter !== "aws" && starter !== "client")) return [];
    const language = languageIn(facts);
    if (!language || language === "provided" || language === "go") return [];
    const { verdict, found } = await judgeHandler(word, language, appOf(facts));
    if (verdict.ok || (!facts.files.whole && !found && !hasOwnFiles(facts))) return [];
    return [problemOf(word, verdict, found && READ_LIGHTLY.has(language))];
  },
};

/** Whose code may define more at run time than its text shows. */
const READ_LIGHTLY: ReadonlySet<Language> = new Set(["python", "nodejs", "ruby"]);

function problemOf(
  word: string,
  verdict: { readonly problem: string; readonly near?: readonly string[] },
  mayBeThere: boolean,
): Problem {
  const near = nearest(word, verdict.near ?? []);
  return {
    message: `the handler ${word} ${verdict.problem}`,
    hint: near.length > 0 ? `near it: ${near.join(", ")}` : "correct --handler, or add the file",
    severity: mayBeThere ? "warning" : "error",
  };
}

/** From the table, from what is started, or from the runtime that is in the image. */
export function languageIn(facts: ImageFacts): Language | undefined {
  const settings = facts.settings.config ?? {};
  return (
    facts.base?.repository ??
    languageOf(settings, settings.Entrypoint) ??
    (startsAsAws(facts) ? fromRuntime(facts) : undefined)
  );
}

const RUNTIMES: readonly (readonly [RegExp, Language])[] = [
  [/^python3/, "python"],
  [/^node$/, "nodejs"],
  [/^java$/, "java"],
  [/^dotnet$/, "dotnet"],
  [/^ruby$/, "ruby"],
];

/** AWS's bases have their language in /var/lang/bin. */
function fromRuntime({ files: { view } }: ImageFacts): Language | undefined {
  const programs = view.list("var/lang/bin");
  return RUNTIMES.find(([name]) => programs.some((program) => name.test(program)))?.[1];
}

function appOf(facts: ImageFacts): AppFiles {
  const { view, contents } = facts.files;
  const root = taskRoot(facts);
  return {
    names: namesIn(facts, root),
    read: async (name) => {
      const entry = view.resolve(`${root}/${name}`);
      // What was not taken (it is too large) may define anything: this says so to every reader of names.
      return (entry && contents.text(entry.path)) ?? "from x import *\nexport * from 'x'\n";
    },
    namesInJar: async (name) => contents.jars().get(`${root}/${name}`),
  };
}

/** Most handlers are found at the first place: then nothing is looked through. */
function namesIn({ files: { view } }: ImageFacts, root: string): Names {
  return {
    has(name) {
      const entry = view.get(root === "" ? name : `${root}/${name}`);
      return entry !== undefined && entry.kind !== "directory";
    },
    *[Symbol.iterator]() {
      let left = MOST_NAMES;
      for (const { path, kind } of view.entries()) {
        const inside = kind === "directory" ? undefined : within(root, path);
        if (inside === undefined) continue;
        yield inside;
        if (--left === 0) return;
      }
    },
  };
}

/** Whether a layer that was read has files in the task root: a base has none there. */
function hasOwnFiles(facts: ImageFacts): boolean {
  return facts.files.view.list(taskRoot(facts)).length > 0;
}

/** `/lambda-entrypoint.sh` of an OS-only base starts what is there. */
const BOOTSTRAP = "/var/runtime/bootstrap";

export const bootstrap: Rule = {
  id: "bootstrap",
  severity: "error",
  expects: "over AWS's OS-only base /var/runtime/bootstrap is there, may be executed and is no link",
  otherwise: "Runtime.InvalidEntrypoint; Couldn't find valid bootstrap(s): [/var/runtime/bootstrap]",
  check(facts) {
    if (!startsAsAws(facts)) return [];
    const place = lookUp(facts, BOOTSTRAP);
    if (!place.known) return osOnly(facts) ? [missing(facts)] : [];
    if (!place.entry) return [missing(facts)];
    const asWritten = facts.files.view.get(BOOTSTRAP.slice(1));
    if (asWritten?.kind === "symlink")
      return [
        {
          message: `it is a link to ${asWritten.link}`,
          path: BOOTSTRAP,
          hint: "put the executable itself there",
        },
      ];
    return (place.entry.mode & 0o001) === 0
      ? [{ message: "it may not be executed", path: BOOTSTRAP, hint: "chmod 755 bootstrap" }]
      : [];
  },
};

/** Where the table knows that the base itself has none. */
function osOnly({ base }: ImageFacts): boolean {
  return base?.repository === "provided";
}

function missing(facts: ImageFacts): Problem {
  const elsewhere = facts.files.view.get(`${taskRoot(facts)}/bootstrap`);
  return {
    message: elsewhere
      ? `the bootstrap is at /${elsewhere.path}, where a container image does not look for it`
      : "there is no bootstrap",
    path: BOOTSTRAP,
    hint: "lambda-pack build puts the app's bootstrap there; or start the program itself with --entrypoint",
  };
}
