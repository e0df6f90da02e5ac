import type { Language } from "../../../lambda/bases.ts";
import type { AppFiles, Names, Verdict } from "../../../lambda/handler/app-files.ts";
import { judgeHandler } from "../../../lambda/handler/handler.ts";
import { starterOf } from "../../../lambda/handler/language.ts";
import { shortened } from "../../../lambda/handler/not-found.ts";
import type { Signature } from "../../../lambda/handler/python/names.ts";
import { pythonSignature } from "../../../lambda/handler/python/python.ts";
import { nearest } from "../../../lambda/nearest.ts";
import { type ImageFacts, PATH_MAX, taskRoot, within } from "../../facts.ts";
import { type Problem, quantity, type Rule } from "../../rule.ts";
import { languageIn } from "../../runtime.ts";

export const handler: Rule = {
  id: "handler",
  severity: "error",
  expects: "the file of the handler is in the task root, and defines it",
  otherwise: "Runtime.ImportModuleError, Runtime.HandlerNotFound, Runtime.UserCodeSyntaxError",
  async check(facts) {
    const word = handlerOf(facts);
    const language = languageIn(facts);
    if (word === undefined || !language || language === "provided" || language === "go") return [];
    const { verdict, found } = await judgeHandler(word, language, appInImage(facts));
    if (verdict.ok || mayBeElsewhere(facts, language, found)) return [];
    if (await isAtRoot(word, language, facts)) return [];
    const isUncertain = facts.isCmdUnchecked === true || (found && DYNAMIC.has(language));
    return [problemOf(word, verdict, isUncertain)];
  },
};

/** Python's runtime calls `handler(event, context)` (awslambdaric, bootstrap.py). */
export const handlerParameters: Rule = {
  id: "handler-parameters",
  severity: "error",
  expects: "a Python handler takes two arguments, the event and the context, and is not async",
  otherwise:
    "TypeError: handler() takes 1 positional argument but 2 were given; Runtime.MarshalError: Object of type coroutine is not JSON serializable",
  async check(facts) {
    const word = handlerOf(facts);
    if (word === undefined || languageIn(facts) !== "python") return [];
    const signature = await pythonSignature(word, appInImage(facts));
    const problem = signature && callProblem(signature);
    if (problem === undefined) return [];
    const name = word.slice(word.lastIndexOf(".") + 1);
    return {
      message: `the handler ${word} ${problem}`,
      hint: `write it as def ${name}(event, context):`,
      severity: signature?.isCertain ? "error" : "warning",
    };
  },
};

function callProblem({ required, most, needsKeyword, isAsync, isCertain }: Signature): string | undefined {
  if (most < 2)
    return `takes ${quantity(most, "argument")}, and Lambda calls it with two: the event and the context`;
  if (required > 2)
    return `needs ${required} arguments, and Lambda calls it with two: the event and the context`;
  if (needsKeyword)
    return "needs an argument by its name, and Lambda calls it with the event and the context only";
  // A decorator may be what runs it.
  return isAsync && isCertain ? "is async, and Python's runtime does not wait for a coroutine" : undefined;
}

/** Returns the handler that CMD names; undefined if CMD is not a handler or an absolute path. */
export function handlerOf({ settings }: ImageFacts): string | undefined {
  const { Entrypoint: entry, Cmd: cmd = [] } = settings.config ?? {};
  const word = cmd.at(-1);
  const starter = starterOf(entry);
  const isHandler = starter === "aws" || starter === "client";
  return isHandler && word !== undefined && !word.startsWith("/") ? word : undefined;
}

/** A client looks in the working directory too, and WORKDIR may be `/`. */
async function isAtRoot(word: string, language: Language, facts: ImageFacts): Promise<boolean> {
  const { Entrypoint: entry, WorkingDir: directory = "/" } = facts.settings.config ?? {};
  if (starterOf(entry) !== "client" || !/^\/*$/.test(directory)) return false;
  return (await judgeHandler(word, language, appInImage(facts, ""))).verdict.ok;
}

/** Languages in which code may define a handler at run time only. */
const DYNAMIC: ReadonlySet<Language> = new Set(["python", "nodejs", "ruby"]);

/** Returns whether unread layers or jars in /opt/lib (CustomerClassLoader) may have it. */
function mayBeElsewhere(facts: ImageFacts, language: Language, found: boolean): boolean {
  const { view, whole } = facts.files;
  if (!whole && !found && view.list(taskRoot(facts)).length === 0) return true;
  const layerJars = ["opt/lib", "opt/java/lib"].flatMap((directory) => view.list(directory));
  return language === "java" && layerJars.some((name) => name.endsWith(".jar"));
}

function problemOf(word: string, verdict: Exclude<Verdict, { ok: true }>, isUncertain: boolean): Problem {
  const near = nearest(word, verdict.near ?? []);
  const usual = near.length > 0 ? `did you mean ${near.join(", ")}?` : "correct --handler, or add the file";
  return {
    message: `the handler ${shortened(word)} ${verdict.problem}`,
    hint: verdict.hint ?? usual,
    severity: isUncertain ? "warning" : "error",
  };
}

/** The most names that a search for a similar handler looks at. */
const MAX_NAMES = 100_000;

/** Returns the files below the task root of an image, or below `root`, for a handler search. */
function appInImage(facts: ImageFacts, root = taskRoot(facts)): AppFiles {
  const { view, contents } = facts.files;
  return {
    names: namesIn(facts, root),
    read: async (name) => {
      const entry = view.resolve(join(root, name));
      return entry && contents.texts.get(entry.path);
    },
    namesInJar: async (name) => contents.jars.get(join(root, name)),
  };
}

function namesIn({ files: { view } }: ImageFacts, root: string): Names {
  return {
    has(name) {
      if (name.length > PATH_MAX) return false;
      const entry = view.resolve(join(root, name));
      return entry !== undefined && entry.kind !== "directory";
    },
    deadLink(name) {
      const entry = name.length > PATH_MAX || this.has(name) ? undefined : view.get(join(root, name));
      return entry?.kind === "symlink" ? entry.link : undefined;
    },
    *[Symbol.iterator]() {
      let left = MAX_NAMES;
      for (const { path, kind } of view.entries()) {
        const inside = kind === "directory" ? undefined : within(root, path);
        if (inside === undefined) continue;
        yield inside;
        if (--left === 0) return;
      }
    },
  };
}

function join(root: string, name: string): string {
  return root === "" ? name : `${root}/${name}`;
}
