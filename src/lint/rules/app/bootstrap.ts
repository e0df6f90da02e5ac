import { type ImageFacts, lookUp, startsAsAws, taskRoot } from "../../facts.ts";
import type { Problem, Rule } from "../../rule.ts";
import { executableProblems } from "../../shebang.ts";

/** What `/lambda-entrypoint.sh` of an OS-only base starts. */
const BOOTSTRAP = "/var/runtime/bootstrap";

export const bootstrap: Rule = {
  id: "bootstrap",
  severity: "error",
  expects:
    "over AWS's OS-only base, /var/runtime/bootstrap exists, can be executed, is neither empty nor a link, and is an ELF file or a script whose interpreter exists",
  otherwise: "Runtime.InvalidEntrypoint; Couldn't find valid bootstrap(s): [/var/runtime/bootstrap]",
  check(facts) {
    if (!startsAsAws(facts)) return [];
    const place = lookUp(facts, BOOTSTRAP);
    if (!place.known) return facts.base?.repository === "provided" ? [missing(facts)] : [];
    if (!place.entry) return [missing(facts)];
    const asWritten = facts.files.view.get(BOOTSTRAP.slice(1));
    if (asWritten?.kind === "symlink")
      return [problem(`it is a link to ${asWritten.link}`, "put the executable itself there")];
    return executableProblems("the bootstrap", BOOTSTRAP, place.entry, facts);
  },
};

function problem(message: string, hint: string): Problem {
  return { message, path: BOOTSTRAP, hint };
}

function missing(facts: ImageFacts): Problem {
  const elsewhere = facts.files.view.get(`${taskRoot(facts)}/bootstrap`);
  return problem(
    elsewhere
      ? `the bootstrap is at /${elsewhere.path}, where a container image does not look for it`
      : "there is no bootstrap",
    "lambda-pack build puts the app's bootstrap there; or start the program itself with --entrypoint",
  );
}
