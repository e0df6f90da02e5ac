import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import { type ImageFacts, lookUp, startsAsAws, variables } from "../../facts.ts";
import { languageIn } from "../../language.ts";
import type { Problems, Rule } from "../../rule.ts";
import { shebangProblems } from "../../shebang.ts";

/** External extensions are the files directly in this directory (AWS, Lambda Extensions API). */
const EXTENSIONS = "opt/extensions";
const MOST_EXTENSIONS = 10;

export const extensions: Rule = {
  id: "extensions",
  severity: "error",
  expects: "/opt/extensions has at most ten files, which can be executed and whose interpreters exist",
  otherwise: "Extension.LaunchError, FunctionError.TooManyExtensions",
  check(facts) {
    const { view } = facts.files;
    const found = view.list(EXTENSIONS).flatMap((name) => view.resolve(`${EXTENSIONS}/${name}`) ?? []);
    const programs = found.filter(({ kind }) => kind !== "directory");
    return [
      ...programs.flatMap((program) => programProblems(program, facts)),
      ...found.flatMap(directoryAmong),
      tooMany(programs),
    ];
  },
};

function programProblems({ path, mode }: ViewEntry, facts: ImageFacts): Problems {
  if ((mode & 0o001) !== 0) return shebangProblems(`/${path}`, facts.files.contents.text(path), facts);
  return {
    message: "the extension may not be executed",
    path: `/${path}`,
    hint: `chmod 755 /${path}, or move it elsewhere in /opt if it is not an extension`,
  };
}

function directoryAmong({ kind, path }: ViewEntry): Problems {
  if (kind !== "directory") return [];
  return {
    message: "a directory among the extensions, which Lambda ignores",
    path: `/${path}`,
    hint: "put it elsewhere in /opt",
    severity: "info",
  };
}

function tooMany(programs: readonly ViewEntry[]): Problems {
  if (programs.length <= MOST_EXTENSIONS) return [];
  return {
    message: `the image has ${programs.length} extensions`,
    path: `/${EXTENSIONS}`,
    hint: `Lambda starts at most ${MOST_EXTENSIONS}: remove the others`,
  };
}

/**
 * Language runtimes honour the wrapper, OS-only runtimes do not (AWS, "Modifying the runtime
 * environment").
 */
export const execWrapper: Rule = {
  id: "exec-wrapper",
  severity: "error",
  expects: "the script in AWS_LAMBDA_EXEC_WRAPPER exists, can be executed, and its interpreter exists",
  otherwise: "Runtime.ExitError: No such file or directory; Permission denied",
  check(facts) {
    const wrapper = variables(facts).get("AWS_LAMBDA_EXEC_WRAPPER");
    const language = languageIn(facts);
    const isHonoured = startsAsAws(facts) && language !== "provided" && language !== "go";
    if (!wrapper?.startsWith("/") || !isHonoured) return [];
    const place = lookUp(facts, wrapper);
    if (!place.known) return [];
    if (!place.entry)
      return {
        message: "the wrapper is not in the image",
        path: wrapper,
        hint: "add it, or unset the variable",
      };
    if ((place.entry.mode & 0o001) === 0)
      return { message: "the wrapper may not be executed", path: wrapper, hint: `chmod 755 ${wrapper}` };
    return shebangProblems(wrapper, facts.files.contents.text(place.entry.path), facts);
  },
};
