import { missingNodePackages } from "../dependencies/node.ts";
import { editableInstalls, missingPythonPackages } from "../dependencies/python.ts";
import { missingGems } from "../dependencies/ruby.ts";
import type { ImageFacts } from "../facts.ts";
import { languageIn } from "../language.ts";
import type { Problem, Rule } from "../rule.ts";

/** What the app asks its package manager for has to be in the image: nothing installs it there. */
export const dependencies: Rule = {
  id: "dependencies",
  severity: "warning",
  expects: "what package.json, requirements.txt, pyproject.toml, Pipfile or Gemfile asks for is installed",
  otherwise: "Runtime.ImportModuleError: Cannot find module; No module named; cannot load such file",
  check: (facts) => problemsOf(facts),
};

function problemsOf(facts: ImageFacts): readonly Problem[] {
  // A base that is not in the table may bring packages in layers that were not read.
  if (facts.files.lacksOwn || !(facts.files.whole || facts.base)) return [];
  switch (languageIn(facts)) {
    case "nodejs":
      return missingNodePackages(facts);
    case "python":
      return [...missingPythonPackages(facts), ...editableInstalls(facts)];
    case "ruby":
      return missingGems(facts);
    default:
      return [];
  }
}
