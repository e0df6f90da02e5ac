import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import { lookUp } from "../../facts.ts";
import { wrapperOf } from "../../native/started.ts";
import type { Problem, Rule } from "../../rule.ts";
import { executableProblems } from "../../shebang.ts";

/** External extensions are the files directly in this directory (AWS, Lambda Extensions API). */
const EXTENSIONS = "opt/extensions";
const MAX_EXTENSIONS = 10;

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
      programs.map((program) => executableProblems("the extension", `/${program.path}`, program, facts)),
      found.filter(({ kind }) => kind === "directory").map(directoryProblem),
      programs.length > MAX_EXTENSIONS
        ? {
            message: `the image has ${programs.length} extensions`,
            path: `/${EXTENSIONS}`,
            hint: `Lambda starts at most ${MAX_EXTENSIONS}: remove the others`,
          }
        : [],
    ];
  },
};

function directoryProblem({ path }: ViewEntry): Problem {
  return {
    message: "a directory among the extensions, which Lambda ignores",
    path: `/${path}`,
    hint: "put it elsewhere in /opt",
    severity: "info",
  };
}

export const execWrapper: Rule = {
  id: "exec-wrapper",
  severity: "error",
  expects: "the script in AWS_LAMBDA_EXEC_WRAPPER exists, can be executed, and its interpreter exists",
  otherwise: "Runtime.ExitError: No such file or directory; Permission denied",
  check(facts) {
    const [wrapper] = wrapperOf(facts);
    if (wrapper === undefined) return [];
    const place = lookUp(facts, wrapper);
    if (!place.known) return [];
    if (!place.entry)
      return {
        message: "the wrapper is not in the image",
        path: wrapper,
        hint: "add it, or unset the variable",
      };
    return executableProblems("the wrapper", wrapper, place.entry, facts);
  },
};
