import type { Language } from "../lambda/bases.ts";
import { languageOf } from "../lambda/handler/language.ts";
import { type ImageFacts, startsAsAws, variables } from "./facts.ts";

/** Returns the language by the table of bases, by ENTRYPOINT and ENV, or by the runtime. */
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

function fromRuntime({ files: { view } }: ImageFacts): Language | undefined {
  const programs = view.list("var/lang/bin");
  return RUNTIMES.find(([name]) => programs.some((program) => name.test(program)))?.[1];
}

const VARIABLES: Readonly<Partial<Record<Language, string>>> = {
  ...{ python: "PYTHON_VERSION", nodejs: "NODE_VERSION", ruby: "RUBY_VERSION", dotnet: "DOTNET_VERSION" },
};

/** Returns the runtime's version for rules: `3.12` for Python and Ruby, `22` for the others. */
export function runtimeVersion(facts: ImageFacts, language: Language): string | undefined {
  if (languageIn(facts) !== language) return undefined;
  const full =
    facts.base?.tag ?? variables(facts).get(VARIABLES[language] ?? "") ?? installed(facts, language);
  const parts = /^\d+(?:\.\d+)?/.exec(full ?? "")?.[0];
  return language === "python" || language === "ruby" ? parts : parts?.split(".", 1)[0];
}

/** Returns the version in the name of a program of AWS's Python bases: /var/lang/bin/python3.12. */
function installed(facts: ImageFacts, language: Language): string | undefined {
  if (language !== "python" || !startsAsAws(facts)) return undefined;
  return facts.files.view
    .list("var/lang/bin")
    .find((name) => /^python3\.\d+$/.test(name))
    ?.slice("python".length);
}
