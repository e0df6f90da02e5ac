import type { Language } from "../lambda/bases.ts";
import { type ImageFacts, startsAsAws, variables } from "./facts.ts";
import { languageIn } from "./language.ts";

const VARIABLES: Readonly<Partial<Record<Language, string>>> = {
  ...{ python: "PYTHON_VERSION", nodejs: "NODE_VERSION", ruby: "RUBY_VERSION", dotnet: "DOTNET_VERSION" },
};

/** The version of the base's runtime, as far as it is compared: `3.12` for Python and Ruby, `22` for the others. */
export function runtimeVersion(facts: ImageFacts, language: Language): string | undefined {
  if (languageIn(facts) !== language) return undefined;
  const full =
    facts.base?.tag ?? variables(facts).get(VARIABLES[language] ?? "") ?? installed(facts, language);
  const parts = /^\d+(?:\.\d+)?/.exec(full ?? "")?.[0];
  return language === "python" || language === "ruby" ? parts : parts?.split(".", 1)[0];
}

/** AWS's Python bases name the version in /var/lang/bin. */
function installed(facts: ImageFacts, language: Language): string | undefined {
  if (language !== "python" || !startsAsAws(facts)) return undefined;
  return facts.files.view
    .list("var/lang/bin")
    .find((name) => /^python3\.\d+$/.test(name))
    ?.slice("python".length);
}
